import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../../src/errors.ts";
import { Scans } from "../../../src/services/run_index/scans.ts";
import { FakeClock } from "../../testing/fake_clock.ts";

Deno.test("Scans lets two go on at a time, and the next in the order in which they came", async () => {
  const scans = new Scans(new FakeClock());
  const order: string[] = [];
  const [a, b] = [await scans.begin(), await scans.begin()];
  const waiting = ["c", "d"].map(async (name) => {
    const turn = await scans.begin();
    order.push(name);
    return turn;
  });
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  const c = await waiting[0]!;
  assertEquals(order, ["c"]);
  b[Symbol.dispose]();
  const d = await waiting[1]!;
  c[Symbol.dispose]();
  d[Symbol.dispose]();
  const [e, f] = [await scans.begin(), await scans.begin()];
  e[Symbol.dispose]();
  f[Symbol.dispose]();
});

Deno.test("Scans refuses who waited for ten seconds, and who would be one too many", async () => {
  const clock = new FakeClock();
  const scans = new Scans(clock);
  const [a] = [await scans.begin(), await scans.begin()];
  const waiting = Array.from(
    { length: 20 },
    () => assertRejects(() => scans.begin(), DomainError, "try again"),
  );
  await assertRejects(() => scans.begin(), DomainError, "narrow");
  await clock.advance(10_000);
  await Promise.all(waiting);
  a[Symbol.dispose]();
  (await scans.begin())[Symbol.dispose]();
});
