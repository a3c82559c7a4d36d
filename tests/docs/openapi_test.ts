import { assertEquals } from "@std/assert";
import { currentOpenApi, OPENAPI_FILE } from "../../tools/openapi.ts";

Deno.test("docs/openapi.json is what the server describes", async () => {
  const isCurrent = await Deno.readTextFile(OPENAPI_FILE) === await currentOpenApi();
  assertEquals(isCurrent, true, "docs/openapi.json is not current: deno task openapi writes it anew");
});
