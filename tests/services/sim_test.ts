/** The short form of the simulation; the long one is `deno task test:sim`. */
import { assert, assertEquals } from "@std/assert";
import { FAILED_SEEDS } from "../long/failed_seeds.ts";
import { withBug } from "../testing/sim_bugs.ts";
import { runWorld } from "../testing/sim_world.ts";

const SEEDS = 20;

for (
  const seed of [
    ...Array.from({ length: SEEDS }, (_, i) => i + 1),
    ...FAILED_SEEDS.map(({ seed }) => seed),
  ]
) {
  Deno.test(`simulation: every commit of world ${seed} keeps the protocol, and every run ends`, async () => {
    assertEquals((await runWorld({ seed })).fault, undefined);
  });
}

Deno.test("simulation: a seed replays exactly", async () => {
  const [first, second] = [await runWorld({ seed: 7 }), await runWorld({ seed: 7 })];
  assertEquals(second.trace, first.trace);
});

for (const bug of ["H6", "H12"]) {
  Deno.test(`simulation: finds planted bug ${bug} at once`, async () => {
    for (let seed = 1; seed <= 20; seed++) if ((await withBug(bug, seed)).fault !== undefined) return;
    assert(false, "20 worlds did not show it");
  });
}
