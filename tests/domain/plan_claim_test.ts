import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Gate } from "../../src/domain/gate.ts";
import {
  type ClaimInput,
  type ClaimPlan,
  type ClaimRequest,
  planClaim,
  type QueueWindow,
} from "../../src/domain/plan_claim.ts";
import type { QueueConfig, RunRecord } from "../../src/schemas/records.ts";
import { aRun } from "./factories.ts";

interface Waiting {
  queueNo: number;
  t: number;
  run: string;
}

interface Pool {
  paused: boolean;
  limit: number | null;
  queues: QueueConfig[];
  /** Slots taken, by queue number. */
  held: Record<number, number>;
  waiting: Waiting[];
}

const queue = (no: number, changes: Partial<QueueConfig> = {}): QueueConfig => ({
  no,
  id: `queue-${no}`,
  priority: no + 1,
  paused: false,
  limit: null,
  ...changes,
});

const aPool = (changes: Partial<Pool> = {}): Pool => ({
  paused: false,
  limit: null,
  queues: [queue(0)],
  held: {},
  waiting: [],
  ...changes,
});

const claim = (n: number, changes: Partial<ClaimRequest> = {}): ClaimRequest => ({
  n,
  dueBefore: 100,
  allows: () => true,
  ...changes,
});

const byOrder = (a: Waiting, b: Waiting) => a.t - b.t || (a.run < b.run ? -1 : 1);
const byPriority = (a: QueueConfig, b: QueueConfig) => a.priority - b.priority || (a.id < b.id ? -1 : 1);

function gateOf(pool: Pool): Gate {
  const gate = new Gate(Gate.empty(pool));
  for (const [no, held] of Object.entries(pool.held)) {
    for (let i = 0; i < held; i++) gate.take(Number(no));
  }
  return gate;
}

/** The first `size` entries of each queue of `read`, and no runs but those named. */
function inputOf(
  pool: Pool,
  claims: ClaimRequest[],
  read: Map<number, number>,
  runs: Set<string>,
): ClaimInput {
  const windows = new Map<number, QueueWindow>();
  for (const [no, size] of read) {
    const all = pool.waiting.filter(({ queueNo }) => queueNo === no).sort(byOrder);
    windows.set(no, { entries: all.slice(0, size), complete: size >= all.length });
  }
  const records = new Map<string, RunRecord>([...runs].map((id) => [id, aRun("SCHEDULED", { id })]));
  return {
    gate: gateOf(pool),
    queues: pool.queues.toSorted(byPriority),
    windows,
    lanes: new Map(),
    runs: records,
    limits: { get: () => null },
    claims,
  };
}

/** The plan with everything read. */
function plan(pool: Pool, ...claims: ClaimRequest[]): ClaimPlan {
  const read = new Map(pool.queues.map(({ no }) => [no, Infinity]));
  return planClaim(inputOf(pool, claims, read, new Set(pool.waiting.map(({ run }) => run))));
}

const grants = ({ grants }: ClaimPlan) => grants.map(({ claim, entry }) => [claim, entry.run]);
const runs = (queueNo: number, ...ids: string[]): Waiting[] => ids.map((run, i) => ({ queueNo, t: i, run }));

Deno.test("planClaim() gives claims one run each in turn", () => {
  const pool = aPool({ waiting: runs(0, "a", "b", "c", "d", "e") });
  assertEquals(grants(plan(pool, claim(1), claim(3), claim(2))), [
    [0, "a"],
    [1, "b"],
    [2, "c"],
    [1, "d"],
    [2, "e"],
  ]);
});

Deno.test("planClaim() gives nothing to a claim for nothing", () => {
  const pool = aPool({ waiting: runs(0, "a", "b") });
  assertEquals(grants(plan(pool, claim(0), claim(1))), [[1, "a"]]);
});

Deno.test("planClaim() takes queues by priority, ties by id", () => {
  const queues = [queue(0, { priority: 2 }), queue(1, { priority: 1 }), queue(2, { priority: 1, id: "a" })];
  const waiting = [...runs(0, "low"), ...runs(1, "tie, later id"), ...runs(2, "tie, first id")];
  const got = grants(plan(aPool({ queues, waiting }), claim(5)));
  assertEquals(got, [[0, "tie, first id"], [0, "tie, later id"], [0, "low"]]);
});

Deno.test("planClaim() takes runs by time, ties by id", () => {
  const at = (run: string, t: number) => ({ queueNo: 0, t, run });
  const pool = aPool({ waiting: [at("b", 1), at("c", 0), at("a", 1)] });
  assertEquals(grants(plan(pool, claim(5))), [[0, "c"], [0, "a"], [0, "b"]]);
});

Deno.test("planClaim() passes over queues that are paused or full, and those that the claim does not draw from", () => {
  const queues = [
    queue(0, { paused: true }),
    queue(1, { limit: 1 }),
    queue(2, { limit: 0 }),
    queue(3, { limit: 2 }),
    queue(4),
  ];
  const waiting = [0, 1, 2, 3, 4].flatMap((no) => runs(no, `${no}a`, `${no}b`));
  const pool = aPool({ queues, waiting, held: { 1: 1, 3: 1 } });
  const not4 = claim(5, { allows: ({ no }) => no !== 4 });
  assertEquals(grants(plan(pool, not4, claim(5))), [[0, "3a"], [1, "4a"], [1, "4b"]]);
});

Deno.test("planClaim() stops at the pool's limit, at 0 at once, and grants nothing when it is paused", () => {
  const waiting = runs(0, "a", "b", "c");
  assertEquals(grants(plan(aPool({ waiting, limit: 2 }), claim(5))), [[0, "a"], [0, "b"]]);
  assertEquals(grants(plan(aPool({ waiting, limit: 2, held: { 0: 1 } }), claim(5))), [[0, "a"]]);
  assertEquals(grants(plan(aPool({ waiting, limit: 1, held: { 0: 3 } }), claim(5))), []);
  assertEquals(grants(plan(aPool({ waiting, limit: 0 }), claim(5))), []);
  assertEquals(grants(plan(aPool({ waiting, paused: true }), claim(5))), []);
});

Deno.test("planClaim() grants what is due and says when the next run is", () => {
  const at = (run: string, t: number) => ({ queueNo: 0, t, run });
  const pool = aPool({ waiting: [at("due", 100), at("soon", 130), at("later", 200)] });
  const got = plan(pool, claim(5));
  assertEquals([grants(got), got.dueIn], [[[0, "due"]], 30]);
  const prefetching = plan(pool, claim(1), claim(5, { dueBefore: 125 }));
  assertEquals([grants(prefetching), prefetching.dueIn], [[[0, "due"]], 5]);
  assertEquals(plan(aPool(), claim(1)).dueIn, null);
  assertEquals(plan(aPool({ waiting: runs(0, "a") }), claim(5)).dueIn, null, "nothing is left");
});

Deno.test("planClaim() looks behind a queue whose first run is not due", () => {
  const pool = aPool({
    queues: [queue(0), queue(1)],
    waiting: [{ queueNo: 0, t: 500, run: "later" }, { queueNo: 1, t: 1, run: "now" }],
  });
  const got = plan(pool, claim(1));
  assertEquals([grants(got), got.dueIn], [[[0, "now"]], 400]);
});

Deno.test("planClaim() passes over runs before dueAfter", () => {
  const pool = aPool({ waiting: runs(0, "t0", "t1", "t2", "t3") });
  assertEquals(grants(plan(pool, claim(5, { dueAfter: 2 }))), [[0, "t2"], [0, "t3"]]);
});

Deno.test("planClaim() ends after the most grants that a commit can take", () => {
  const pool = aPool({ waiting: runs(0, "a", "b", "c", "d") });
  const input = inputOf(pool, [claim(3), claim(3)], new Map([[0, 9]]), new Set(["a", "b", "c", "d"]));
  assertEquals(grants(planClaim({ ...input, mostMutations: 12 })), [[0, "a"], [1, "b"], [0, "c"]]);
});

Deno.test("planClaim() asks for the queue or run that it has to know before it can go on", () => {
  const pool = aPool({ queues: [queue(0), queue(1)], waiting: [...runs(0, "a"), ...runs(1, "b")] });
  const ask = (read: [number, number][], known: string[]) => {
    const { missing, grants: got } = planClaim(inputOf(pool, [claim(5)], new Map(read), new Set(known)));
    return { queues: [...missing.queues], runs: [...missing.runs], grants: got.length };
  };
  assertEquals(ask([], []), { queues: [0], runs: [], grants: 0 });
  assertEquals(ask([[0, 1]], []), { queues: [], runs: ["a"], grants: 0 });
  assertEquals(ask([[0, 1]], ["a"]), { queues: [1], runs: [], grants: 1 });
  assertEquals(ask([[0, 1], [1, 1]], ["a", "b"]), { queues: [], runs: [], grants: 2 });
  assertEquals(ask([[0, 0], [1, 1]], ["b"]), { queues: [0], runs: [], grants: 0 }, "b must not overtake a");
});

Deno.test("planClaim() asks for nothing that a blocked pool or queue hides", () => {
  const waiting = runs(0, "a");
  const nothing = {
    queues: new Set<number>(),
    runs: new Set<string>(),
    limits: new Set<string>(),
    lanes: new Set<never>(),
  };
  for (const blocked of [{ paused: true }, { limit: 0 }, { queues: [queue(0, { limit: 0 })] }]) {
    const got = planClaim(inputOf(aPool({ waiting, ...blocked }), [claim(5)], new Map(), new Set()));
    assertEquals(got.missing, nothing);
  }
});

/** What planClaim() has to grant, told by somebody who knows everything. */
function reference(pool: Pool, claims: ClaimRequest[]): [number, string][] {
  const held: Record<number, number> = { ...pool.held };
  const left = pool.waiting.toSorted(byOrder);
  const room = () => !pool.paused && sum(Object.values(held)) < (pool.limit ?? Infinity);
  const pick = ({ allows, dueBefore, dueAfter = -Infinity }: ClaimRequest): Waiting | undefined => {
    for (const one of pool.queues.toSorted(byPriority)) {
      if (!room() || !allows(one) || one.paused || (held[one.no] ?? 0) >= (one.limit ?? Infinity)) continue;
      const first = left.find(({ queueNo, t }) => queueNo === one.no && t <= dueBefore && t >= dueAfter);
      if (first) return first;
    }
  };
  const granted: [number, string][] = [];
  for (let turn = 0, isOver = false; !isOver; turn++) {
    isOver = true;
    claims.forEach((one, index) => {
      const run = turn < one.n ? pick(one) : undefined;
      if (!run) return;
      isOver = false;
      left.splice(left.indexOf(run), 1);
      held[run.queueNo] = (held[run.queueNo] ?? 0) + 1;
      granted.push([index, run.run]);
    });
  }
  return granted;
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

const limits = fc.option(fc.nat(4), { freq: 2 });
const pools: fc.Arbitrary<Pool> = fc.record({
  paused: fc.nat(9).map((one) => one === 0),
  limit: limits,
  queues: fc.array(fc.record({ priority: fc.nat(2), paused: fc.nat(5), limit: limits }), {
    minLength: 1,
    maxLength: 5,
  }).map((all) => all.map(({ paused, ...one }, no) => queue(no, { ...one, paused: paused === 0 }))),
  held: fc.dictionary(fc.constantFrom("0", "1", "2"), fc.nat(2), { noNullPrototype: true }),
  waiting: fc.uniqueArray(fc.record({ queueNo: fc.nat(4), t: fc.nat(12), run: fc.string() }), {
    maxLength: 30,
    selector: ({ run }) => run,
  }),
}).map((pool) => ({
  ...pool,
  held: Object.fromEntries(Object.entries(pool.held).filter(([no]) => Number(no) < pool.queues.length)),
  waiting: pool.waiting.filter(({ queueNo }) => queueNo < pool.queues.length),
}));
const requests = fc.array(
  fc.record({ n: fc.nat(6), dueBefore: fc.nat(14), queues: fc.nat(31) }),
  { minLength: 1, maxLength: 5 },
).map((all) =>
  all.map(({ n, dueBefore, queues }): ClaimRequest =>
    claim(n, { dueBefore, allows: ({ no }) => queues === 0 || (queues & (1 << no)) !== 0 })
  )
);

/** Reads what the plan asks for, `step` entries at a time, until it is whole. */
function planInSteps(pool: Pool, claims: ClaimRequest[], step: number): ClaimPlan {
  const read = new Map<number, number>();
  const known = new Set<string>();
  for (let rounds = 0; rounds < 1_000; rounds++) {
    const got = planClaim(inputOf(pool, claims, read, known));
    if (got.missing.queues.size + got.missing.runs.size === 0) return got;
    for (const no of got.missing.queues) read.set(no, (read.get(no) ?? 0) + step);
    for (const run of got.missing.runs) known.add(run);
  }
  throw new Error("the plan never becomes whole");
}

Deno.test("planClaim() grants what the reference model grants, in its order, however little was read at first", () => {
  fc.assert(
    fc.property(pools, requests, fc.integer({ min: 1, max: 7 }), (pool, claims, step) => {
      const expected = reference(pool, claims);
      assertEquals(grants(plan(pool, ...claims)), expected);
      const inSteps = planInSteps(pool, claims, step);
      assertEquals(grants(inSteps), expected);
      assertEquals(inSteps.dueIn, plan(pool, ...claims).dueIn);
    }),
    { numRuns: 600 },
  );
});

Deno.test("planClaim() grants to a poll with dueAfter what the reference model grants", () => {
  fc.assert(
    fc.property(
      pools,
      requests,
      fc.nat(12),
      fc.integer({ min: 1, max: 3 }),
      (pool, [one], dueAfter, step) => {
        const poll = { ...one!, dueAfter };
        assertEquals(grants(planInSteps(pool, [poll], step)), reference(pool, [poll]));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("planClaim() says by dueIn when the answer changes by itself, and not later", () => {
  const after = (claims: ClaimRequest[], micros: number) =>
    claims.map((one) => ({ ...one, dueBefore: one.dueBefore + micros }));
  fc.assert(
    fc.property(pools, requests, (pool, claims) => {
      const now = plan(pool, ...claims);
      const until = now.dueIn ?? 1_000;
      assertEquals(reference(pool, after(claims, until - 1)), grants(now));
      if (now.dueIn !== null) {
        assert(JSON.stringify(reference(pool, after(claims, until))) !== JSON.stringify(grants(now)));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("planClaim() takes the granted slots in the gate that it was given", () => {
  const pool = aPool({ queues: [queue(0), queue(1)], waiting: [...runs(0, "a", "b"), ...runs(1, "c")] });
  const input = inputOf(pool, [claim(5)], new Map([[0, 9], [1, 9]]), new Set(["a", "b", "c"]));
  planClaim(input);
  assertEquals([input.gate.held, input.gate.heldIn(0), input.gate.heldIn(1)], [3, 2, 1]);
});
