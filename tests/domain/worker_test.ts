import { assertEquals } from "@std/assert";
import { isAgentOnline, matchesWorker, workerStatus } from "../../src/domain/worker.ts";
import { WorkerFilter } from "../../src/schemas/worker.ts";

const NOW = 1_795_470_000_000_000;
const SECOND = 1_000_000;

Deno.test("workerStatus() is ONLINE for three intervals, of 30 s when the worker did not say", () => {
  const cases: [interval: number | null, age: number, expected: string][] = [
    [null, 90 * SECOND, "ONLINE"],
    [null, 90 * SECOND + 1, "OFFLINE"],
    [10, 30 * SECOND, "ONLINE"],
    [10, 30 * SECOND + 1, "OFFLINE"],
    [0, 0, "ONLINE"],
    [0, 1, "OFFLINE"],
  ];
  for (const [interval, age, expected] of cases) {
    assertEquals(workerStatus({ lastHeartbeat: NOW - age, interval }, NOW), expected, `${interval} ${age}`);
  }
});

Deno.test("matchesWorker() looks at the computed status and at the last heartbeat", () => {
  const online = { lastHeartbeat: NOW - SECOND, interval: null };
  const matches = (filter: unknown) => matchesWorker(WorkerFilter.parse(filter), online, NOW);
  const before = "2026-11-23T00:00:00Z";
  const after = "2026-11-25T00:00:00Z";
  assertEquals(matchesWorker(null, online, NOW), true);
  assertEquals(matches({ status: { any_: ["ONLINE"] } }), true);
  assertEquals(matches({ status: { any_: ["OFFLINE"] } }), false);
  assertEquals(matches({ status: { any_: [] } }), false);
  assertEquals(matches({ status: { not_any_: ["ONLINE"] } }), false);
  assertEquals(matches({ status: { not_any_: [] } }), true);
  assertEquals(matches({ last_heartbeat_time: { after_: before, before_: after } }), true);
  assertEquals(matches({ last_heartbeat_time: { after_: after } }), false);
  const or = { operator: "or_", status: { any_: ["OFFLINE"] }, last_heartbeat_time: { after_: before } };
  assertEquals(matches(or), true);
});

Deno.test("isAgentOnline() forgives three heartbeats, ten seconds at least, and nothing once the session has ended", () => {
  const after = (
    seconds: number,
    heartbeat: number | undefined,
    state: "live" | "draining" | "ended" = "live",
  ) => isAgentOnline({ seen: 0, state }, heartbeat, seconds * 1e6);
  assertEquals([after(15, undefined), after(15.1, undefined)], [true, false]);
  assertEquals([after(180, 60), after(180.1, 60)], [true, false]);
  assertEquals([after(10, 1), after(10.1, 1)], [true, false]);
  assertEquals([after(0, 5, "draining"), after(0, 5, "ended")], [true, false]);
});
