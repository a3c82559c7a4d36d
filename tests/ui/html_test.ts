import { assertEquals } from "@std/assert";
import { html } from "../../src/ui/html.ts";

Deno.test("html escapes what is put in, and nothing twice", () => {
  const evil = `<script>"&'`;
  const escaped = "&#60;script&#62;&#34;&#38;&#39;";
  assertEquals(html`<b title="${evil}">${evil}</b>`.text, `<b title="${escaped}">${escaped}</b>`);
  assertEquals(html`<ul>${[1, evil, html`<li>${"&"}</li>`]}</ul>`.text, `<ul>1${escaped}<li>&#38;</li></ul>`);
});
