import { assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../src/agent/turns.ts";

const NEVER = new AbortController().signal;

Deno.test("Turns.take() does no more at once than allowed, first come first, also after a failure", async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  const ends = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const work = (i: number) => {
    order.push(i);
    return ends[i]!.promise;
  };
  const all = [0, 1, 2].map((i) => turns.take(() => work(i), NEVER));
  await Promise.resolve();
  assertEquals(order, [0, 1]);
  ends[1]!.reject(new Error("failed"));
  await assertRejects(() => all[1]!, Error, "failed");
  for (const i of [3, 4, 5]) all.push(turns.take(() => work(i), NEVER));
  await Promise.resolve();
  assertEquals(order, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.allSettled(all);
  assertEquals(order, [0, 1, 2, 3, 4, 5]);
  assertEquals(await turns.take(() => Promise.resolve("free"), NEVER), "free");
});

Deno.test("Turns.take() leaves the queue when it is aborted, and never does the work then", async () => {
  const turns = new Turns(1);
  const first = Promise.withResolvers<void>();
  const holding = turns.take(() => first.promise, NEVER);
  const gone = new AbortController();
  const never = turns.take(() => Promise.reject(new Error("done")), gone.signal);
  const next = turns.take(() => Promise.resolve(3), NEVER);
  gone.abort();
  assertEquals(await never, undefined);
  first.resolve();
  await holding;
  assertEquals(await next, 3);
  assertEquals(await turns.take(() => Promise.reject(new Error("done")), AbortSignal.abort()), undefined);
});
