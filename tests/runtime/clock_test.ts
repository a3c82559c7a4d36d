import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { systemClock } from "../../src/runtime/clock.ts";

Deno.test("systemClock.now() is the wall clock in whole microseconds", () => {
  const before = Date.now() * 1000;
  const now = systemClock.now();
  assert(Number.isSafeInteger(now) && before <= now && now <= Date.now() * 1000);
});

Deno.test("systemClock.monotonic() does not follow the wall clock", () => {
  const before = systemClock.monotonic();
  using _time = new FakeTime(0);
  assertEquals(systemClock.now(), 0);
  assert(systemClock.monotonic() >= before);
});

Deno.test("systemClock.sleep() ends after its time, not before", async () => {
  using time = new FakeTime();
  let awake = false;
  const sleeping = systemClock.sleep(50).then(() => awake = true);
  await time.tickAsync(49);
  assertEquals(awake, false);
  await time.tickAsync(1);
  assertEquals(awake, true);
  await sleeping;
});

Deno.test("systemClock.sleep() ends at once when its signal aborts, and leaves no timer", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort();
  await sleeping;
  await systemClock.sleep(60_000, controller.signal);
});

Deno.test("systemClock.sleep() leaves no listener on a signal that lives on", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  await systemClock.sleep(0, signal);
  assertEquals(listeners, 0);
});

Deno.test("systemClock.sleep() of a month does not end at once", async () => {
  using time = new FakeTime();
  let awake = false;
  const controller = new AbortController();
  const sleeping = systemClock.sleep(30 * 24 * 3_600_000, controller.signal).then(() => awake = true);
  await time.tickAsync(3_600_000);
  assertEquals(awake, false);
  controller.abort();
  await sleeping;
});
