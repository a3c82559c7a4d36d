import { assertEquals } from "@std/assert";
import { Progress } from "../../src/cli/screen/progress.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import * as fake from "./fake_objects.ts";
import { type FakeWorld, runCli } from "./fake_world.ts";

const MANY = {
  "POST /work_pools/filter": () =>
    Array.from({ length: 30 }, (_, index) => fake.pool({ name: `pool-${index}` })),
};

async function shown(args: string[], world: FakeWorld) {
  let paged = "";
  const page = (text: string) => {
    paged = text;
    return Promise.resolve(world.env?.PAGER !== "missing");
  };
  const { out, code } = await runCli(["work-pool", "ls", ...args], { answers: MANY, page, ...world });
  assertEquals(code, 0);
  return { isPaged: paged !== "", isPrinted: out.includes("pool-29") };
}

Deno.test("what is longer than the terminal goes through the pager, and nothing else does", async () => {
  const terminal = { columns: 100, rows: 24 };
  assertEquals(await shown([], terminal), { isPaged: true, isPrinted: false });
  assertEquals(await shown([], { columns: 100, rows: 50 }), { isPaged: false, isPrinted: true });
  assertEquals(await shown([], {}), { isPaged: false, isPrinted: true });
  assertEquals(await shown(["--no-pager"], terminal), { isPaged: false, isPrinted: true });
  assertEquals(await shown(["-o", "json"], terminal), { isPaged: false, isPrinted: true });
});

Deno.test("without the pager on the machine, long lists are printed", async () => {
  const world = { columns: 100, rows: 24, env: { PAGER: "missing" } };
  assertEquals(await shown([], world), { isPaged: true, isPrinted: true });
});

Deno.test("colours are for terminals, and not where NO_COLOR is set", async () => {
  const hasColours = async (world: FakeWorld) =>
    (await runCli(["work-pool", "ls"], { answers: MANY, ...world })).out.includes("\x1b[");
  assertEquals(await hasColours({ columns: 100 }), true);
  assertEquals(await hasColours({ columns: 100, env: { NO_COLOR: "1" } }), false);
  assertEquals(await hasColours({ columns: 100, env: { TERM: "dumb" } }), false);
  assertEquals(await hasColours({}), false);
});

/** A context that has what Progress looks at. */
function contextOf(isErrTerminal: boolean, drawn: string[]) {
  let now = 0;
  const world = {
    deps: { clock: { monotonic: () => now } },
    isErrTerminal,
    drawErr: (text: string) => void drawn.push(text),
  };
  return { context: { world } as unknown as CommandContext, wait: (ms: number) => now += ms };
}

Deno.test("Progress is silent for a second, then draws over itself, and leaves nothing behind", () => {
  const drawn: string[] = [];
  const { context, wait } = contextOf(true, drawn);
  {
    using progress = new Progress("Applying", 4, context);
    progress.step();
    assertEquals(drawn, []);
    wait(1_001);
    progress.step();
  }
  assertEquals(drawn.length, 2);
  assertEquals(drawn[0], `\r\x1b[2KApplying ${"█".repeat(12)}${"░".repeat(12)} 2/4`);
  assertEquals(drawn[1], "\r\x1b[2K");
});

Deno.test("Progress draws nothing where standard error is no terminal", () => {
  const drawn: string[] = [];
  const { context, wait } = contextOf(false, drawn);
  using progress = new Progress("Reading", undefined, context);
  wait(5_000);
  progress.step(10);
  assertEquals(drawn, []);
});
