/** Schedules with real processes. */
import { assert, assertEquals } from "@std/assert";
import { scheduledStarts } from "./deployed.ts";

/** Other tests have the machine, too; how exactly runs start is measured by `deno task test:timing`. */
const LATEST_MS = 1_500;

Deno.test("runs of a schedule start by themselves, at their times, until the deployment is paused", async () => {
  const { steps, errors, left } = await scheduledStarts(4);
  assertEquals(steps, steps.map(() => 2_000));
  assert(
    errors.every((ms) => ms >= 0 && ms < LATEST_MS),
    `started ${errors.join(", ")} ms after their times`,
  );
  assertEquals(left, 0, "none waits when the deployment is paused");
});
