/** What the scheduler costs follows what is due, not how many deployments there are. */
import { assertEquals } from "@std/assert";
import { Commit } from "../../src/kv/commit.ts";
import { scheduleDueKey, schedulingKey } from "../../src/kv/keys.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { World } from "./factories.ts";

const HOUR = 3_600_000_000;

/** Deployments that are due in an hour, stored as a look leaves them. */
async function seed(world: World, count: number): Promise<void> {
  const due = world.now + HOUR;
  for (let done = 0; done < count; done += 200) {
    const marker = ["seeded", world.deps.ids.uuid()];
    const commit = new Commit().checkAbsent(marker).set(marker, 0);
    for (let i = 0; i < 200; i++) {
      const id = world.deps.ids.uuid();
      commit.set(schedulingKey(id), { due, generated: {} }).set(scheduleDueKey(due, id), 0);
    }
    await commit.send(world.kv);
  }
}

async function costOfLook(others: number) {
  const kv = new CheckedKv(await Deno.openKv(":memory:"), { repeatCommits: true });
  using world = new World({ kv });
  await world.pool();
  await seed(world, others);
  const schedules = [{ schedule: { interval: 60 }, active: true }];
  for (let i = 0; i < 5; i++) await world.deployment({ name: `d${i}`, schedules });
  await world.deps.advance(1);
  kv.cost.reset();
  const looked = await world.services.autoRuns.makeDue(world.now, 100);
  assertEquals([looked.deployments, looked.made], [5, 5 * 61]);
  assertEquals(kv.violations, []);
  const { bytes: _, ...first } = kv.cost; // names of runs are of different length
  kv.cost.reset();
  await world.services.autoRuns.makeDue(world.now, 100);
  return { first, idle: { ...kv.cost } };
}

Deno.test("a round over 10,000 deployments of which 5 are due costs what 5 cost, and an idle one a single read", async () => {
  const alone = await costOfLook(0);
  const among = await costOfLook(10_000);
  assertEquals(among.first, alone.first);
  assertEquals(alone.first.commits, 5, "61 runs and what is known of them are one commit");
  // One list of those that are due. For each: mark, record, deployment, past runs, flow, pool, queue, and the keys of 61
  // runs, ten at a time.
  assertEquals([alone.first.reads, alone.first.lists], [1 + 5 * (7 + 7), 1 + 5]);
  assertEquals([among.idle.reads, among.idle.entries, among.idle.commits], [1, 0, 0]);
});
