import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("variables are refused by name and size with the reference's words", async () => {
  await using app = await StartedApp.start();
  const detail = async (body: unknown, method = "POST", path = "/variables/") => {
    const { status, body: answer } = await app.request(method, path, body);
    assertEquals(status, 422, JSON.stringify(answer));
    const [{ type, loc, msg }] = Object(answer).exception_detail;
    return [type, loc.join("."), msg];
  };
  const charset =
    "Value error, Variable name must only contain lowercase letters, numbers, and dashes or underscores.";
  for (const name of ["A b", "A", "a b", "ä", "a/b", ""]) {
    assertEquals(await detail({ name, value: "x" }), ["value_error", "body.name", charset], name);
  }
  assertEquals(await detail({ name: "a".repeat(256), value: 1 }), [
    "string_too_long",
    "body.name",
    "String should have at most 255 characters",
  ]);
  assertEquals(await detail({ name: "a" }), ["missing", "body.value", "Field required"]);
  const long = "Value error, Variable value should have at most 5000 characters as JSON";
  assertEquals(await detail({ name: "a", value: "x".repeat(4_999) }), ["value_error", "body.value", long]);
  assertEquals(
    (await app.request("POST", "/variables/", { name: "a", value: "x".repeat(4_998) })).status,
    201,
  );
  assertEquals(await detail({ name: "A" }, "PATCH", "/variables/name/a"), [
    "value_error",
    "body.name",
    charset,
  ]);
  assertEquals(await detail(undefined, "PATCH", "/variables/name/a"), ["missing", "body", "Field required"]);
});

Deno.test("any JSON is a variable's value and comes back as it was written", async () => {
  await using app = await StartedApp.start();
  const texts = ["null", "true", "5.0", "1e2", `"5"`, `"true"`, "[]", `{"a":[1.0,{"b":null}]}`, `""`];
  for (const [no, text] of texts.entries()) {
    const made = await app.request("POST", "/variables/", `{"name":"v${no}","value":${text}}`);
    assertEquals(made.status, 201, made.text);
    const { text: read } = await app.request("GET", `/variables/name/v${no}`);
    assertEquals(read.includes(`"value":${text},"tags":[]`), true, read);
  }
  await app.request("PATCH", "/variables/name/v3", { value: null });
  assertEquals(Object((await app.request("GET", "/variables/name/v3")).body).value, null);
  assertEquals((await app.request("POST", "/variables/count", "")).body, texts.length);
  assertEquals((await app.request("GET", "/variables/filter")).status, 405);
});
