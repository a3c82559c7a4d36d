import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Grant } from "../../src/agent/grant.ts";
import { HeldRun } from "../../src/agent/held_run.ts";
import { type Asking, Holdings } from "../../src/agent/holdings.ts";

const GRANT: Grant = {
  runId: "r",
  runName: "n",
  token: "t",
  deployment: undefined,
  job: { template: {}, jobVariables: [], parameters: {}, entrypoint: null },
  dueAt: 0,
  scheduledTime: null,
};
const never = new AbortController().signal;
const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

function endless(): { run: HeldRun; finish: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: new HeldRun(GRANT, () => promise), finish: resolve };
}

Deno.test("Holdings.ask() offers what is free, at most 10 at a time without limit", async () => {
  assertEquals((await new Holdings(undefined, 1).ask(never))?.runs, 10);
  assertEquals((await new Holdings(3, 1).ask(never))?.runs, 3);
  const shared = new Holdings(5, 2);
  assertEquals([(await shared.ask(never))?.runs, (await shared.ask(never))?.runs], [2, 3]);
});

Deno.test("Holdings.ask() waits while everything is held, and goes on when a run has ended", async () => {
  const holdings = new Holdings(1, 1);
  const { run, finish } = endless();
  holdings.answered((await holdings.ask(never))!, [run]);
  let next: Asking | undefined;
  void holdings.ask(never).then((asking) => next = asking);
  await tick();
  assertEquals(next, undefined);
  finish();
  await tick();
  assertEquals([next, holdings.runs], [{ runs: 1, isCrowded: false }, []]);
});

Deno.test("Holdings.ask() takes turns between pools, and tells who should not wait long", async () => {
  const holdings = new Holdings(1, 2);
  const first = (await holdings.ask(never))!;
  assertEquals(first.isCrowded, true);
  const second = holdings.ask(never);
  holdings.answered(first, []);
  const third = holdings.ask(never); // the first pool again: after the second
  assertEquals((await second)?.runs, 1);
  let isThirdServed = false;
  void third.then(() => isThirdServed = true);
  await tick();
  assertEquals(isThirdServed, false);
  holdings.answered((await second)!, []);
  assertEquals((await third)?.runs, 1);
});

Deno.test("Holdings.ask() answers undefined when it is told to stop, and keeps no place then", async () => {
  const holdings = new Holdings(1, 2);
  const stop = new AbortController();
  const first = (await holdings.ask(never))!;
  const second = holdings.ask(stop.signal);
  const third = holdings.ask(never);
  stop.abort();
  assertEquals([await second, await holdings.ask(stop.signal)], [undefined, undefined]);
  holdings.answered(first, []);
  assertEquals((await third)?.runs, 1);
});

Deno.test("Holdings never holds more than its limit, whatever is granted, ended and asked in between", async () => {
  const step = fc.constantFrom("ask", "grant", "empty", "end");
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 40 }),
      async (limit, steps) => {
        const holdings = new Holdings(limit, 3);
        const asked: Asking[] = [];
        const running: (() => void)[] = [];
        let open = 0; // pools that wait or ask
        for (const what of steps) {
          if (what === "ask" && open < 3) {
            open++;
            void holdings.ask(never).then((asking) => asking && asked.push(asking));
          }
          const asking = what === "grant" || what === "empty" ? asked.shift() : undefined;
          if (asking !== undefined) {
            open--;
            const grants = Array.from({ length: what === "grant" ? asking.runs : 0 }, endless);
            running.push(...grants.map(({ finish }) => finish));
            holdings.answered(asking, grants.map(({ run }) => run));
          }
          if (what === "end") running.shift()?.();
          for (let i = 0; i < 5; i++) await Promise.resolve();
          const asks = asked.reduce((sum, { runs }) => sum + runs, 0);
          assertEquals(holdings.runs.length + asks <= limit, true);
          assertEquals(holdings.runs.length, running.length);
          if (holdings.runs.length + asks < limit) assertEquals(asked.length, open); // nobody waits for nothing
        }
      },
    ),
  );
});
