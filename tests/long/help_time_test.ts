/** How quickly help comes, on a machine that does nothing else. */
import { assert } from "@std/assert";
import { Started } from "../e2e/started.ts";

async function millisecondsFor(args: string[]): Promise<number> {
  const began = performance.now();
  await using sluice = new Started("cli.ts", args);
  await sluice.ended();
  return performance.now() - began;
}

Deno.test("--help comes in less than 150 ms, of the program and of a command", async () => {
  for (const args of [["--help"], ["work-pool", "create", "--help"]]) {
    const times: number[] = [];
    for (let i = 0; i < 11; i++) times.push(await millisecondsFor(args));
    const median = times.toSorted((a, b) => a - b)[5] ?? Infinity;
    assert(median < 150, `${args.join(" ")}: ${times.map((time) => time.toFixed(0)).join(" ")} ms`);
  }
});
