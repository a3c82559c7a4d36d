import { assert, assertEquals } from "@std/assert";
import type { Content, OpenApi } from "../../src/schemas/openapi.ts";
import { sampleOf } from "../../src/ui/sample.ts";
import { StartedApp } from "./started_app.ts";

Deno.test("GET /docs has every operation, and all its links lead somewhere", async () => {
  await using app = await StartedApp.start();
  const { status, text } = await app.request("GET", "/docs");
  assertEquals(status, 200);
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  assertEquals(new Set(ids).size, ids.length);
  for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) assert(ids.includes(target!), target);
  const { paths } = (await app.request("GET", "/openapi.json")).body as OpenApi;
  for (const methods of Object.values(paths)) {
    for (const { operationId } of Object.values(methods)) assert(ids.includes(operationId), operationId);
  }
});

Deno.test("GET /docs loads nothing but its own style sheet, and a strict policy says so", async () => {
  await using app = await StartedApp.start();
  const { text, headers } = await app.request("GET", "/docs");
  const policy = headers.get("content-security-policy") ?? "";
  for (
    const part of ["default-src 'none'", "style-src 'self'", "script-src 'self'", "frame-ancestors 'none'"]
  ) {
    assert(policy.includes(part), policy);
  }
  assert(!/<script|<style|\sstyle=|\son\w+=|javascript:/i.test(text));
  const loaded = [...text.matchAll(/<(?:link|img|iframe)[^>]*(?:href|src)="([^"]+)"/g)].map(([, url]) => url);
  assertEquals(loaded, ["data:,", "/docs/style.css"]);
  const style = await app.request("GET", "/docs/style.css");
  assertEquals([style.status, style.headers.get("content-type")], [200, "text/css; charset=utf-8"]);
  assert(!/url\(|@import/.test(style.text));
});

Deno.test("GET /docs shows the address under which it was asked for, and no markup that came with it", async () => {
  await using app = await StartedApp.start({ allowedHosts: ["sluice.example"] });
  const page = await app.fetch(
    new Request("http://sluice.example:8080/docs", { headers: { host: "sluice.example" } }),
  );
  assert((await page.text()).includes("curl &#39;http://sluice.example:8080/api/health&#39;"));
  const foreign = await app.fetch(
    new Request("http://evil.example/docs", { headers: { host: "evil.example" } }),
  );
  assertEquals(foreign.status, 421);
  await foreign.body?.cancel();
});

Deno.test("the body of every example on the page is one that the endpoint takes", async () => {
  await using app = await StartedApp.start();
  const { paths, components } = (await app.request("GET", "/openapi.json")).body as OpenApi;
  for (const { method, path, body } of app.endpoints) {
    if (!body) continue;
    const operation = paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    const content: Content = operation?.requestBody?.content ?? {};
    const sample = sampleOf(content["application/json"]!.schema, components.schemas);
    assert(body.safeParse(sample).success, `${method} ${path}: ${JSON.stringify(sample)}`);
  }
});
