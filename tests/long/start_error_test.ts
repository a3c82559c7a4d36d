/** Timing on a machine that does nothing else: tests that run beside it would be what is measured. */
import { assert } from "@std/assert";
import { scheduledStarts, startErrors } from "../e2e/deployed.ts";

Deno.test("an idle agent starts prefetched runs on time: start error p99 below 100 ms", async () => {
  const errors = await startErrors(100);
  const p99 = errors[Math.ceil(errors.length * 0.99) - 1]!;
  assert(p99 < 100, `start error p99 is ${p99} ms: ${errors.join(" ")}`);
});

Deno.test("runs that a schedule makes start within 100 ms of their times", async () => {
  const { errors } = await scheduledStarts(10);
  assert(errors.every((ms) => ms >= 0 && ms < 100), `started ${errors.join(", ")} ms after their times`);
});
