/**
 * What Sluice relies on in Deno KV, one behaviour at a time. Every store that Sluice may run on passes all of it:
 * memory, a file, a shared KV server, and the fake of the simulation.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KV_LIMITS } from "./kv_size.ts";

/** One behaviour. `at` makes keys that no other behaviour uses. */
export interface KvBehaviour {
  name: string;
  test(kv: Deno.Kv, at: (...parts: Deno.KvKey) => Deno.KvKey): Promise<void>;
}

/** Registers a test for each behaviour. `open` opens an empty KV, which is closed at the end of the test. */
export function kvConformance(store: string, open: () => Promise<Deno.Kv>): void {
  for (const behaviour of KV_BEHAVIOURS) {
    Deno.test(`KV ${store}: ${behaviour.name}`, async () => {
      using kv = await open();
      await behaviour.test(kv, scope());
    });
  }
}

/** Makes keys below a fresh prefix. */
export function scope(): (...parts: Deno.KvKey) => Deno.KvKey {
  const id = crypto.randomUUID();
  return (...parts) => ["conformance", id, ...parts];
}

const ABSENT = null;

export const KV_BEHAVIOURS: readonly KvBehaviour[] = [
  {
    name: "a commit is applied when its checks hold, and as a whole",
    async test(kv, at) {
      const first = await kv.atomic().check({ key: at("a"), versionstamp: ABSENT }).set(at("a"), 1).commit();
      assert(first.ok);
      const second = await kv.atomic().check({ key: at("a"), versionstamp: first.versionstamp })
        .set(at("a"), 2).set(at("b"), 3).commit();
      assert(second.ok);
      assertEquals((await kv.get(at("a"))).value, 2);
      assertEquals((await kv.get(at("b"))).versionstamp, second.versionstamp);
    },
  },
  {
    name: "a commit with a failed check answers ok: false and changes nothing",
    async test(kv, at) {
      await kv.set(at("a"), 1);
      const stale = await kv.atomic().check({ key: at("a"), versionstamp: ABSENT }).set(at("b"), 1)
        .delete(at("a")).commit();
      assertEquals(stale.ok, false);
      assertEquals((await kv.get(at("a"))).value, 1);
      assertEquals((await kv.get(at("b"))).versionstamp, null);
    },
  },
  {
    name: "a guarded commit sent twice is applied once",
    async test(kv, at) {
      const operation = kv.atomic().check({ key: at("a"), versionstamp: ABSENT }).set(at("a"), 1);
      assertEquals([(await operation.commit()).ok, (await operation.commit()).ok], [true, false]);
    },
  },
  {
    name: "a check of a deleted key wants it absent",
    async test(kv, at) {
      const { versionstamp } = await kv.set(at("a"), 1);
      await kv.atomic().check({ key: at("a"), versionstamp }).delete(at("a")).commit();
      const old = await kv.atomic().check({ key: at("a"), versionstamp }).set(at("a"), 2).commit();
      const absent = await kv.atomic().check({ key: at("a"), versionstamp: ABSENT }).set(at("a"), 3).commit();
      assertEquals([old.ok, absent.ok], [false, true]);
    },
  },
  {
    name: "setting the same value gives a new version",
    async test(kv, at) {
      const first = await kv.set(at("a"), 1);
      await kv.set(at("a"), 1);
      const stale = await kv.atomic().check({ key: at("a"), versionstamp: first.versionstamp })
        .set(at("a"), 2).commit();
      assertEquals(stale.ok, false);
    },
  },
  {
    name: "versionstamps are 20 hex digits and increase as text",
    async test(kv, at) {
      const stamps: string[] = [];
      for (let i = 0; i < 20; i++) stamps.push((await kv.set(at("a"), i)).versionstamp);
      for (const stamp of stamps) assert(/^[0-9a-f]{20}$/.test(stamp), stamp);
      assertEquals(new Set(stamps).size, stamps.length);
      assertEquals(stamps, [...stamps].sort());
    },
  },
  {
    name: "a key that ends with commitVersionstamp() carries the stamp of its commit, in order",
    async test(kv, at) {
      const stamps: string[] = [];
      for (let i = 0; i < 5; i++) {
        // The type of keys does not know the symbol, though KV takes it.
        const parts: readonly unknown[] = [...at("journal"), kv.commitVersionstamp()];
        const result = await kv.atomic().check({ key: at("a", i), versionstamp: ABSENT }).set(at("a", i), 0)
          .set(parts as Deno.KvKey, i).commit();
        assert(result.ok);
        stamps.push(result.versionstamp);
      }
      const entries = await Array.fromAsync(kv.list<number>({ prefix: at("journal") }));
      assertEquals(entries.map(({ value }) => value), [0, 1, 2, 3, 4]);
      assertEquals(entries.map(({ key }) => key.at(-1)), stamps);
      const rest = await Array.fromAsync(
        kv.list<number>({ prefix: at("journal"), start: at("journal", `${stamps[2]}\0`) }),
      );
      assertEquals(rest.map(({ value }) => value), [3, 4]);
    },
  },
  {
    name: "of two mutations of one key the last wins",
    async test(kv, at) {
      await kv.atomic().set(at("a"), 1).set(at("a"), 2).set(at("b"), 1).delete(at("b")).delete(at("c"))
        .set(at("c"), 3).commit();
      const entries = await Array.fromAsync(kv.list({ prefix: at() }));
      assertEquals(entries.map(({ key, value }) => [key.at(-1), value]), [["a", 2], ["c", 3]]);
    },
  },
  {
    name: "a commit that only checks, or does nothing, is applied",
    async test(kv, at) {
      assert((await kv.atomic().commit()).ok);
      assert((await kv.atomic().check({ key: at("a"), versionstamp: ABSENT }).commit()).ok);
      await kv.delete(at("never", "there"));
    },
  },
  {
    name: "keys are listed by type of part, then by value",
    async test(kv, at) {
      const parts: Deno.KvKeyPart[] = [
        new Uint8Array([]),
        new Uint8Array([0]),
        new Uint8Array([0, 255]),
        new Uint8Array([1]),
        "",
        "\0",
        "\0a",
        "A",
        "a",
        "a\0",
        "ab",
        "é",
        "\uffee",
        "\u{1f600}",
        -(2n ** 70n),
        -300n,
        -5n,
        -2n,
        0n,
        2n,
        255n,
        256n,
        2n ** 70n,
        -Infinity,
        -1.5,
        -1,
        0,
        0.5,
        1,
        2,
        10,
        1_795_435_200_000_000,
        Infinity,
        false,
        true,
      ];
      const operation = kv.atomic();
      for (const part of parts.toReversed()) operation.set(at(part), 0);
      await operation.commit();
      const keys = await Array.fromAsync(kv.list({ prefix: at() }), ({ key }) => key.at(-1));
      assertEquals(keys, parts);
    },
  },
  {
    name: "a shorter key stands before the keys below it, and no key is below itself",
    async test(kv, at) {
      for (const parts of [["a"], ["a", 0], ["a", 0, "x"], ["a", "z"], ["a\0"], ["b"]]) {
        await kv.set(at(...parts), 0);
      }
      const list = async (prefix: Deno.KvKey) =>
        (await Array.fromAsync(kv.list({ prefix }))).map(({ key }) => key.slice(2));
      assertEquals(await list(at()), [["a"], ["a", "z"], ["a", 0], ["a", 0, "x"], ["a\0"], ["b"]]);
      assertEquals(await list(at("a")), [["a", "z"], ["a", 0], ["a", 0, "x"]]);
      assertEquals(await list(at("a", 0)), [["a", 0, "x"]]);
    },
  },
  {
    name: "start is included and end is not, with a prefix and without",
    async test(kv, at) {
      for (let i = 0; i < 6; i++) await kv.set(at("n", i), i);
      const list = async (selector: Deno.KvListSelector) =>
        (await Array.fromAsync(kv.list<number>(selector))).map(({ value }) => value);
      assertEquals(await list({ prefix: at("n"), start: at("n", 2) }), [2, 3, 4, 5]);
      assertEquals(await list({ prefix: at("n"), end: at("n", 2) }), [0, 1]);
      assertEquals(await list({ start: at("n", 1), end: at("n", 4) }), [1, 2, 3]);
      assertEquals(await list({ start: at("n", 1.5), end: at("n", 99) }), [2, 3, 4, 5]);
    },
  },
  {
    name: "bounds outside the prefix are refused",
    async test(kv, at) {
      const list = (selector: Deno.KvListSelector) => async () => await Array.fromAsync(kv.list(selector));
      await assertRejects(
        list({ prefix: at("n"), start: at("m") }),
        TypeError,
        "Start key is not in the keyspace",
      );
      await assertRejects(
        list({ prefix: at("n"), end: at("o") }),
        TypeError,
        "End key is not in the keyspace",
      );
      await assertRejects(
        list({ start: at("b"), end: at("a") }),
        TypeError,
        "Start key is greater than end key",
      );
    },
  },
  {
    name: "limit, reverse and batchSize choose what they say",
    async test(kv, at) {
      const operation = kv.atomic();
      for (let i = 0; i < 250; i++) operation.set(at("n", i), i);
      await operation.commit();
      const list = async (options: Deno.KvListOptions) =>
        (await Array.fromAsync(kv.list<number>({ prefix: at("n") }, options))).map(({ value }) => value);
      const all = Array.from({ length: 250 }, (_, i) => i);
      assertEquals(await list({}), all);
      assertEquals(await list({ batchSize: 7 }), all);
      assertEquals(await list({ limit: 3 }), [0, 1, 2]);
      assertEquals(await list({ limit: 12, batchSize: 5 }), all.slice(0, 12));
      assertEquals(await list({ reverse: true, batchSize: 100 }), all.toReversed());
      assertEquals(await list({ reverse: true, limit: 3, batchSize: 2 }), [249, 248, 247]);
      await assertRejects(() => list({ limit: 0 }), Error, "Limit must be");
    },
  },
  {
    name: "one batch of a list is one snapshot",
    async test(kv, at) {
      const write = async (round: number) => {
        const operation = kv.atomic();
        for (let i = 0; i < 50; i++) operation.set(at("n", i), round);
        await operation.commit();
      };
      await write(0);
      const writing = (async () => {
        for (let round = 1; round <= 20; round++) await write(round);
      })();
      for (let i = 0; i < 20; i++) {
        const entries = await Array.fromAsync(kv.list<number>({ prefix: at("n") }, { batchSize: 100 }));
        assertEquals(new Set(entries.map(({ value }) => value)).size, 1);
      }
      await writing;
    },
  },
  {
    name: "getMany answers in the order of the keys, absent ones included, as one snapshot",
    async test(kv, at) {
      const { versionstamp } = await kv.set(at("b"), null);
      assertEquals(await kv.getMany([at("a"), at("b"), at("a")]), [
        { key: at("a"), value: null, versionstamp: null },
        { key: at("b"), value: null, versionstamp },
        { key: at("a"), value: null, versionstamp: null },
      ]);
      const eleven = Array.from({ length: KV_LIMITS.keysOfGetMany + 1 }, (_, i) => at(i));
      await assertRejects(() => kv.getMany(eleven), TypeError, "Too many ranges");
      assertEquals((await kv.getMany(eleven.slice(1))).length, 10);
    },
  },
  {
    name: "values come back as they were",
    async test(kv, at) {
      const values = [
        null,
        undefined,
        true,
        0,
        -1.5,
        Number.MAX_SAFE_INTEGER,
        "",
        "é \u{1f600} \0",
        "x".repeat(60_000),
        new Uint8Array([1, 2, 255]),
        Uint16Array.from([0, 1, 65_535]),
        { q: Uint16Array.from([3, 1]), open: [["d", 2]], ops: [1, 2], limit: null, gone: undefined },
        [[1, [2, [3]]], { a: { b: { c: [] } } }],
      ];
      for (const [i, value] of values.entries()) {
        await kv.set(at(i), value);
        assertEquals((await kv.get(at(i))).value, value);
      }
    },
  },
  {
    name: "values are copies: later changes stay outside",
    async test(kv, at) {
      const value = { list: [1] };
      const operation = kv.atomic().set(at("a"), value);
      value.list.push(2);
      await operation.commit();
      const read = await kv.get<{ list: number[] }>(at("a"));
      read.value?.list.push(3);
      assertEquals((await kv.get(at("a"))).value, { list: [1] });
    },
  },
  {
    name: "values and keys of the largest size pass, larger ones are refused",
    async test(kv, at) {
      const bytes = KV_LIMITS.valueBytes;
      await kv.set(at("bytes"), new Uint8Array(bytes));
      await kv.set(at("text"), "x".repeat(bytes - 6));
      await assertRejects(() => kv.set(at("bytes"), new Uint8Array(bytes + 1)), TypeError, "Value too large");
      await assertRejects(() => kv.set(at("text"), "x".repeat(bytes - 5)), TypeError, "Value too large");
      await kv.set(["x".repeat(2_046)], 0);
      await kv.delete(["x".repeat(2_046)]);
      await assertRejects(() => kv.set(["x".repeat(2_047)], 0), TypeError, "Key too large for write");
      await assertRejects(() => kv.get(["x".repeat(2_048)]), TypeError, "Key too large for read");
      await assertRejects(() => kv.set([], 0), TypeError, "key cannot be empty");
    },
  },
  {
    name: "800 KB in one commit pass, more is refused",
    async test(kv, at) {
      const fill = (count: number) => {
        const operation = kv.atomic();
        for (let i = 0; i < count; i++) operation.set(at(i), new Uint8Array(65_000));
        return operation.commit();
      };
      assert((await fill(12)).ok);
      await assertRejects(() => fill(13), TypeError, "Total mutation size too large");
    },
  },
  {
    name: "ten checks pass; of more, none is passed over",
    async test(kv, at) {
      const checks = (count: number) =>
        Array.from({ length: count }, (_, i) => ({ key: at("check", i), versionstamp: ABSENT }));
      assert((await kv.atomic().check(...checks(KV_LIMITS.checks)).set(at("a"), 1).commit()).ok);
      await kv.set(at("check", KV_LIMITS.checks), "there");
      // A file allows a hundred and answers ok: false, a KV server throws: applied it is nowhere.
      const eleven = kv.atomic().check(...checks(KV_LIMITS.checks + 1)).set(at("a"), 2).commit();
      assertEquals(await eleven.then(({ ok }) => ok, () => false), false);
      assertEquals((await kv.get(at("a"))).value, 1);
      const bad = async () => await kv.atomic().check({ key: at("a"), versionstamp: "x" }).commit();
      await assertRejects(bad, TypeError, "Invalid check");
    },
  },
  {
    name: "a thousand mutations pass, more are refused",
    async test(kv, at) {
      const operation = kv.atomic();
      for (let i = 0; i < KV_LIMITS.mutations; i++) operation.set(at(i), i);
      assert((await operation.commit()).ok);
      const keys = await Array.fromAsync(kv.list({ prefix: at() }, { batchSize: 500 }));
      assertEquals(keys.length, KV_LIMITS.mutations);
      await assertRejects(() => operation.delete(at(0)).commit(), TypeError, "Too many mutations");
    },
  },
  {
    name: "watch tells the current state, then every change",
    async test(kv, at) {
      await kv.set(at("a"), 1);
      const reader = kv.watch<[number, number]>([at("a"), at("b")]).getReader();
      const next = async () => (await reader.read()).value?.map(({ value }) => value);
      assertEquals(await next(), [1, null]);
      const change = next();
      await kv.set(at("b"), 2);
      assertEquals(await change, [1, 2]);
      await kv.delete(at("a"));
      assertEquals(await next(), [null, 2]);
      await reader.cancel();
    },
  },
  {
    name: "closing the KV ends its watches and refuses everything else",
    async test(kv, at) {
      const reader = kv.watch([at("a")]).getReader();
      await reader.read();
      const end = reader.read();
      kv.close();
      assertEquals((await end).done, true);
      await assertRejects(() => kv.get(at("a")), Deno.errors.BadResource);
      await assertRejects(() => kv.set(at("a"), 1), Deno.errors.BadResource);
    },
  },
  {
    name: "watch takes ten keys, eleven are refused",
    async test(kv, at) {
      const keys = Array.from({ length: KV_LIMITS.keysOfWatch + 1 }, (_, i) => at(i));
      assertThrows(() => kv.watch(keys), TypeError, "Too many keys");
      const reader = kv.watch(keys.slice(1)).getReader();
      assertEquals((await reader.read()).value?.length, 10);
      await reader.cancel();
    },
  },
  {
    name: "concurrent increments by check and set are all counted",
    async test(kv, at) {
      const increment = async () => {
        for (;;) {
          const { key, value, versionstamp } = await kv.get<number>(at("n"));
          const result = await kv.atomic().check({ key, versionstamp }).set(key, (value ?? 0) + 1).commit();
          if (result.ok) return;
        }
      };
      await Promise.all(Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 10; i++) await increment();
      }));
      assertEquals((await kv.get(at("n"))).value, 80);
    },
  },
];
