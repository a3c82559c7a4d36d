import { assert } from "@std/assert";
import { type Flag, START_FLAGS } from "../../src/agent/flags.ts";
import { knownSettings } from "../../src/cli/known_settings.ts";
import { SETTINGS } from "../../src/runtime/config.ts";

/** The lines of one section. */
function section(title: string): string[] {
  const text = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const [, rest] = text.split(`\n## ${title}\n`);
  assert(rest !== undefined, `the README has no section '${title}'`);
  return rest.split("\n## ")[0]!.split("\n");
}

Deno.test("the README's table has every setting of the server with its variables and default", () => {
  const rows = section("Settings of the server");
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

Deno.test("the README's table has every flag of an agent with its variables", () => {
  const rows = section("Agents");
  const flags: readonly Flag[] = START_FLAGS;
  for (const { name, short, env = [] } of flags) {
    const spelled = short ? `\`--${name}\`, \`-${short}\`` : `\`--${name}\``;
    const row = rows.find((line) => line.startsWith(`| ${spelled} `));
    assert(row, `${spelled} has no row`);
    for (const setting of env) {
      assert(row.includes(`\`${setting}\``), `${setting} is not in the row of --${name}`);
    }
  }
});

Deno.test("the README names everything that server, agent and command line read from the environment", () => {
  const text = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  for (const { name } of knownSettings()) assert(text.includes(`\`${name}\``), `${name} is in no table`);
});
