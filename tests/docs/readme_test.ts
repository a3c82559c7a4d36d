import { assert } from "@std/assert";
import { SETTINGS } from "../../src/runtime/config.ts";

Deno.test("the README's table has every setting of the server with its variables and default", () => {
  const rows = Deno.readTextFileSync(new URL("../../README.md", import.meta.url)).split("\n");
  for (const setting of SETTINGS) {
    const row = rows.find((line) => line.startsWith(`| \`--${setting.flag}\``));
    assert(row, `--${setting.flag} has no row`);
    for (const name of setting.env) {
      assert(row.includes(`\`${name}\``), `${name} is not in the row of --${setting.flag}`);
    }
    if (setting.default !== "") {
      assert(row.includes(`\`${setting.default}\``), `--${setting.flag}: ${setting.default}`);
    }
  }
});
