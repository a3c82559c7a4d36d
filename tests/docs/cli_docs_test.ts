import { assert, assertEquals } from "@std/assert";
import { Validator } from "@cfworker/json-schema";
import { parse } from "yaml";
import { titleOf } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/commander.ts";
import { manifestSchema } from "../../src/cli/manifest/json_schema.ts";
import { COMMANDS, findCommand, optionsOf } from "../../src/cli/registry.ts";
import { MISSING } from "../../src/cli/registry/reference.ts";
import { missingWords } from "../../tools/cli_docs.ts";
import { splitWords } from "../../tools/shell_words.ts";
import { generatedDocs } from "../../tools/write_docs.ts";

const root = new URL("../..", import.meta.url);
const RECORDED = Deno.readTextFileSync(new URL("tests/data/reference_commands.txt", root)).trim().split("\n");

Deno.test("the generated documents are current (deno task docs)", async () => {
  for (const [path, text] of Object.entries(await generatedDocs())) {
    assertEquals(await Deno.readTextFile(new URL(path, root)), text, path);
  }
});

Deno.test("docs/cli.md has every command with its example and every option", async () => {
  const text = await Deno.readTextFile(new URL("docs/cli.md", root));
  for (const command of COMMANDS.filter(({ isHidden }) => !isHidden)) {
    const title = titleOf(command);
    const [, part] = text.split(`\n### ${title}\n`);
    assert(part, title);
    assert(part.includes(`sluice ${command.example}\n`), `${title}: example`);
    for (const { name } of optionsOf(command)) assert(text.includes(`--${name}`), `${title} --${name}`);
  }
});

Deno.test("every recorded command of Prefect parses here, or stands in the list of what is missing", () => {
  for (const line of RECORDED) {
    const words = splitWords(line);
    if (findCommand(words) === undefined) {
      assert(missingWords(words.join(" ")) !== "", `no reason for '${line}'`);
      continue;
    }
    assert(parseArguments(words, { program: "sluice", writeOut: () => {}, columns: 80 }), line);
  }
});

Deno.test("MISSING names nothing that is here", () => {
  const titles = COMMANDS.map(titleOf);
  for (const { words } of MISSING) {
    assert(!titles.some((title) => `${title} `.startsWith(`${words} `)), words);
  }
});

Deno.test("the JSON Schema of deployment files accepts the example and refuses a misspelt key", async () => {
  const validator = new Validator(manifestSchema(), "2020-12");
  const example = parse(await Deno.readTextFile(new URL("examples/sluice.yaml", root)));
  assertEquals(validator.validate(example).valid, true);
  assertEquals(validator.validate({ deployments: [{ name: "a", comand: "x" }] }).valid, false);
  assertEquals(validator.validate({ deployments: [{ name: "a", concurrency_limit: 2 }] }).valid, true);
});
