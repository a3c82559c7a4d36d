import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SHELLS } from "../../src/cli/registry/program.ts";
import * as fake from "./fake_objects.ts";
import { type Answers, type FakeWorld, runCli } from "./fake_world.ts";

const ANSWERS: Answers = {
  "POST /work_pools/filter": () => [fake.pool(), fake.pool({ name: "test-pool" })],
  "POST /work_pools/my-pool/queues/filter": () => [fake.queue(), fake.queue({ name: "high" })],
  "POST /work_pools/test-pool/queues/filter": () => [fake.queue({ name: "low" })],
  "POST /deployments/filter": () => [fake.deployment()],
  "POST /flows/filter": () => [fake.flow()],
  "POST /variables/filter": () => [fake.variable()],
  "GET /agents?limit=200": () => [fake.agent()],
};

/** What is offered behind these words; the last one is being typed. */
async function offered(words: string[], world: FakeWorld = { answers: ANSWERS }): Promise<string[]> {
  const { code, out, err } = await runCli(["complete", "--", ...words], world);
  assertEquals([code, err], [0, ""]);
  return out === "" ? [] : out.trimEnd().split("\n").map((line) => line.split("\t")[0] ?? "");
}

Deno.test("complete offers commands, options and their values", async () => {
  assertEquals((await offered(["work"])).sort(), ["work-pool", "work-queue"]);
  assertEquals(await offered(["work-pool", "pr"]), ["preview"]);
  assertEquals(await offered(["work-pool", "create", "a", "--conc"]), ["--concurrency-limit"]);
  assertEquals(await offered(["work-pool", "ls", "-o", ""]), ["text", "json"]);
  assertEquals(await offered(["--de"]), ["--debug"]);
  assertEquals(await offered(["completions", ""]), [...SHELLS]);
  assertEquals((await offered([""])).includes("complete"), false);
});

Deno.test("complete offers the names that the server has, each where it is meant", async () => {
  assertEquals(await offered(["work-pool", "inspect", ""]), ["my-pool", "test-pool"]);
  assertEquals(await offered(["work-pool", "inspect", "t"]), ["test-pool"]);
  assertEquals(await offered(["work-pool", "inspect", "my-pool", ""]), []);
  assertEquals(await offered(["work-queue", "pause", "--pool", ""]), ["my-pool", "test-pool"]);
  assertEquals(await offered(["work-queue", "pause", "-p", "my-pool", ""]), ["default", "high"]);
  assertEquals(await offered(["work-queue", "pause", ""]), ["default", "high", "low"]);
  assertEquals(await offered(["deployment", "run", "et"]), ["etl/nightly"]);
  assertEquals(await offered(["variable", "get", ""]), ["bucket"]);
  assertEquals(await offered(["agent", "inspect", ""]), ["host-brisk-otter"]);
  assertEquals(await offered(["deployment", "apply", ""]), []);
});

Deno.test("complete is silent when no server answers", async () => {
  assertEquals(await offered(["work-pool", "inspect", ""], { isDown: true }), []);
});

Deno.test("completions prints a script for each shell, and names the nearest for another", async () => {
  for (const shell of SHELLS) {
    const { code, out } = await runCli(["completions", shell]);
    assertEquals(code, 0);
    assertStringIncludes(out, "complete --");
  }
  const { code, err } = await runCli(["completions", "bsh"]);
  assertEquals(code, 2);
  assertMatch(err, /no script for 'bsh'\. Nearest: bash,/);
});

Deno.test("the script of bash completes with what sluice complete says", async () => {
  const script = (await runCli(["completions", "bash"])).out;
  const check = `
    sluice() { printf 'test-pool\\tabout\\nit is\\n'; }
    COMP_WORDS=(sluice work-pool inspect "$1") COMP_CWORD=3
    _sluice; printf '%s|' "\${COMPREPLY[@]}"`;
  const complete = async (typed: string) => {
    const command = new Deno.Command("bash", { args: ["-c", `${script}\n${check}`, "bash", typed] });
    const { stdout, stderr } = await command.output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  assertEquals(await complete("t"), "test-pool|");
  assertEquals(await complete("it"), "it\\ is|");
});
