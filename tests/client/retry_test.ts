import { assert, assertEquals, assertRejects } from "@std/assert";
import { ApiError, UnreachableError } from "../../src/client/http.ts";
import { isRetryable, withRetry } from "../../src/client/retry.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** A clock whose sleeps are over at once and are written down. */
class SleepLog implements Clock {
  readonly slept: number[] = [];
  now = () => 0;
  monotonic = () => 0;
  sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    return Promise.resolve();
  }
}

const random = (unit: number) => ({ unit: () => unit, bytes: (length: number) => new Uint8Array(length) });

/** What was slept while `errors` came one after the other, and then an answer. */
async function sleptFor(errors: readonly Error[], unit: number): Promise<number[]> {
  const clock = new SleepLog();
  let tries = 0;
  const answer = await withRetry(() => {
    const error = errors[tries++];
    return error ? Promise.reject(error) : Promise.resolve("answer");
  }, { clock, random: random(unit), signal: new AbortController().signal });
  assertEquals(answer, "answer");
  return clock.slept;
}

Deno.test("isRetryable() is true of no answer and of statuses that pass", () => {
  assert(isRetryable(new UnreachableError("x")));
  for (const status of [408, 429, 502, 503, 504]) {
    assert(isRetryable(new ApiError(status, "x")), String(status));
  }
  for (const status of [400, 401, 403, 404, 409, 413, 421, 422, 500, 501]) {
    assertEquals(isRetryable(new ApiError(status, "x")), false, String(status));
  }
  assertEquals(isRetryable(new TypeError("a bug")), false);
});

Deno.test("withRetry() waits a random part of a time that doubles up to ten seconds", async () => {
  const errors = Array.from({ length: 9 }, () => new UnreachableError("x"));
  const full = [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000];
  assertEquals(await sleptFor(errors, 1), full);
  assertEquals(await sleptFor(errors, 0.25), full.map((ms) => ms / 4));
  assertEquals(await sleptFor(errors, 0), full.map(() => 0));
});

Deno.test("withRetry() waits at least as long as the server asks, up to a minute", async () => {
  const asking = (seconds: number) => new ApiError(503, "x", seconds);
  assertEquals(await sleptFor([asking(3), asking(3_600)], 0), [3_000, 60_000]);
  assertEquals(await sleptFor([asking(3)], 1), [3_200]);
});

Deno.test("withRetry() gives up at once on a refusal, and when nobody waits any more", async () => {
  const clock = new SleepLog();
  const options = { clock, random: random(1), signal: new AbortController().signal };
  await assertRejects(() => withRetry(() => Promise.reject(new ApiError(404, "x")), options), ApiError);
  const signal = AbortSignal.abort();
  const unreachable = () => Promise.reject(new UnreachableError("x"));
  await assertRejects(() => withRetry(unreachable, { ...options, signal }), UnreachableError);
  assertEquals(clock.slept, []);
});
