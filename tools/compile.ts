/**
 * Makes `bin/sluice` and `bin/sluice-agent`. The compiler takes in every package that the configuration names, so it is
 * given one without those that only tests need: that saves 4 MB of 115.
 *
 *     deno task compile
 */
const TEST_ONLY = ["@sinonjs/fake-timers", "@types/node", "fast-check", "@std/testing/time"];
/** Beside deno.json, since its paths are relative. Both are deleted afterwards. */
const CONFIG = ".compile.json";
const LOCK = ".compile.lock";

const BINARIES: readonly (readonly string[])[] = [
  ["--include", "examples", "--output", "bin/sluice", "cli.ts"],
  ["--output", "bin/sluice-agent", "agent.ts"],
];

const config = JSON.parse(await Deno.readTextFile("deno.json"));
for (const name of TEST_ONLY) {
  if (!(name in config.imports)) {
    throw new Error(`deno.json imports no ${name} any more: take it out here too.`);
  }
  delete config.imports[name];
}
try {
  await Deno.writeTextFile(CONFIG, JSON.stringify(config));
  await Deno.copyFile("deno.lock", LOCK);
  for (const binary of BINARIES) {
    const args = ["compile", "--config", CONFIG, "--lock", LOCK, "--allow-all", "--no-prompt", ...binary];
    const { success } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
    if (!success) throw new Error(`The compiler failed on ${binary.at(-1)}.`);
  }
} finally {
  for (const file of [CONFIG, LOCK]) await Deno.remove(file).catch(() => {});
}
