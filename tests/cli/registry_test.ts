import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { titleOf } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/commander.ts";
import { COMMANDS, GROUPS, optionsOf } from "../../src/cli/registry.ts";
import { runCli } from "./fake_world.ts";

const parseOptions = { program: "sluice", writeOut: () => {}, columns: 80 };

Deno.test("COMMANDS are documented, each option and argument included", () => {
  for (const command of COMMANDS) {
    const where = titleOf(command);
    assertMatch(command.summary, /^[A-Z].*[^.]$/, where);
    assert(command.group === undefined || command.group in GROUPS, where);
    for (const argument of command.arguments) assertMatch(argument.summary, /^[A-Z]/, where);
    for (const option of optionsOf(command)) {
      assertMatch(option.name, /^[a-z][a-z-]*$/, where);
      assertMatch(option.summary, /^[A-Z].*\w/, `${where} --${option.name}`);
      assertEquals(option.value === undefined, option.kind === "switch", `${where} --${option.name}`);
    }
  }
});

Deno.test("COMMANDS have no name and no option twice", () => {
  const titles = COMMANDS.map(titleOf);
  assertEquals(titles.length, new Set(titles).size);
  for (const command of COMMANDS) {
    const names = optionsOf(command).flatMap(({ name, short }) => short ? [name, short] : [name]);
    assertEquals(names.length, new Set(names).size, titleOf(command));
  }
});

Deno.test("COMMANDS have an example that they understand", () => {
  for (const command of COMMANDS) {
    const words = [...command.example.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
      quoted ?? bare ?? ""
    );
    assertEquals(parseArguments(words, parseOptions)?.command, command, command.example);
  }
});

Deno.test("COMMANDS can be loaded", async () => {
  for (const command of COMMANDS) assertEquals(typeof (await command.load()).run, "function");
});

Deno.test("cliMain() --help lists every command; each command's help lists its options and its example", async () => {
  const { out, code } = await runCli(["--help"]);
  assertEquals(code, 0);
  for (const command of COMMANDS) {
    assertEquals(new RegExp(`^  ${titleOf(command)} `, "m").test(out), !command.isHidden, titleOf(command));
    if (command.passesThrough) continue;
    const help = await runCli([...titleOf(command).split(" "), "--help"], { columns: 200 });
    assertEquals(help.code, 0);
    assertStringIncludes(help.out, `sluice ${command.example}`);
    for (const { name, summary } of optionsOf(command)) {
      assertMatch(help.out, new RegExp(`--${name}\\b`));
      assertStringIncludes(help.out, summary);
    }
  }
});
