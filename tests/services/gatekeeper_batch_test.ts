/** Many operations in few commits, and what happens to them when a commit fails (docs/gate.md, "Unknown outcome"). */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { GateRecord, RunRecord } from "../../src/schemas/records.ts";
import { settle, World } from "./factories.ts";
import { type CommitAnswer, type HookedKv, type SentCommit, writes } from "./hooked_kv.ts";
import { gateCommits, type HookedWorld, hookedWorld } from "./hooked_world.ts";

const MINUTE = 60_000;
const ids = (runs: readonly RunRecord[]) => runs.map(({ id }) => id);

/** `count` runs held by one session. */
async function heldRuns(world: World, count: number, options: Parameters<World["pool"]>[0] = {}) {
  const pool = await world.pool(options);
  const session = await world.session();
  await world.runs(count);
  const held: RunRecord[] = [];
  while (held.length < count) held.push(...await world.claim(pool.keeper, 100, session));
  return { pool, session, held };
}

/** The next commit of a gate is answered by `answer`. */
function onNextGateCommit(kv: HookedKv, answer: (commit: SentCommit) => Promise<CommitAnswer>): void {
  const before = kv.onCommit;
  kv.onCommit = (commit) => {
    if (!writes(commit, "gate")) return commit.send();
    kv.onCommit = before;
    return answer(commit);
  };
}

const lost = () => Promise.reject(new Error("the connection broke"));

Deno.test("Gatekeeper puts a hundred reports into few commits", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { held } = await heldRuns(world, 100);
  const from = kv.commits.length;
  const answers = await Promise.all(
    held.map(({ id, token }) => world.propose(id, "RUNNING", { token: token! })),
  );
  assert(answers.every(({ answer }) => answer.status === "ACCEPT"));
  const commits = gateCommits(kv.commits.slice(from));
  assert(commits.length <= 3, `${commits.length} commits`);
  assert(commits.every(({ checks }) => checks.length <= 10));
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper grants to a hundred waiting claims in few commits", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool({ is_paused: true });
  const runs = await world.runs(100);
  const session = await world.session();
  const claims = runs.map(() => pool.keeper.claim(world.claimOf(session), MINUTE));
  await settle();
  const from = kv.commits.length;
  await world.services.workPools.update(pool.name, { is_paused: false });
  assertEquals((await Promise.all(claims)).flatMap(ids), runs, "in the order in which they came");
  assertEquals(gateCommits(kv.commits.slice(from)).length, 1);
});

Deno.test("Gatekeeper shares what comes free among waiting agents, one run each in turn", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const { pool, held } = await heldRuns(world, 4, { concurrency_limit: 4 });
  const runs = await world.runs(9);
  const agents = [await world.session(), await world.session()];
  const claims = agents.map((session) => pool.keeper.claim(world.claimOf(session, 10), MINUTE));
  await settle();
  await hooked.inOneBatch(() =>
    held.map(({ id, token }) => world.propose(id, "COMPLETED", { token: token! }))
  );
  const [first, second] = await Promise.all(claims);
  assertEquals([ids(first!), ids(second!)], [[runs[0]!, runs[2]!], [runs[1]!, runs[3]!]]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper looks at waiting claims again after a batch that was full without them", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const { pool, held } = await heldRuns(world, 250, { concurrency_limit: 250 });
  const next = await world.run();
  const claiming = pool.keeper.claim(world.claimOf(await world.session()), MINUTE);
  await settle();
  await hooked.inOneBatch(() =>
    held.map(({ id, token }) => world.propose(id, "COMPLETED", { token: token! }))
  );
  assertEquals(ids(await claiming), [next]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper looks at a claim that does not wait, however much else there is to do", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const { pool, held } = await heldRuns(world, 250);
  const next = await world.run();
  const session = await world.session();
  const { answers } = await hooked.inOneBatch<[RunRecord[]]>(() => {
    for (const { id, token } of held) world.propose(id, "RUNNING", { token: token! });
    return [world.soon(pool.keeper.claim(world.claimOf(session), 0))];
  });
  assertEquals(ids(answers[0]), [next]);
});

Deno.test("Gatekeeper grants to more claims than one commit takes, in order", async () => {
  using world = new World();
  const pool = await world.pool({ is_paused: true });
  const runs = await world.runs(350);
  const session = await world.session();
  const claims = [1, 2, 3, 4].map(() => pool.keeper.claim(world.claimOf(session, 100), MINUTE));
  await settle();
  await world.services.workPools.update(pool.name, { is_paused: false });
  const got = (await Promise.all(claims)).flatMap(ids);
  // A claim is answered as soon as it has something, so the later batches are for those that are still waiting.
  assertEquals(got.toSorted(), runs.slice(0, got.length).toSorted());
  assert(got.length >= 100, `${got.length} granted`);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper refuses one operation and does the others of its batch", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const { held: [one, two] } = await heldRuns(world, 2);
  const { answers, commits } = await hooked.inOneBatch(() => [
    world.propose(one!.id, "RUNNING", { token: one!.token! }),
    world.propose(two!.id, "RUNNING", { token: "old" }).catch((error: DomainError) => error.code),
    world.services.workQueues.create("pool", { name: "default", is_paused: false }).catch((
      error: DomainError,
    ) => error.code),
    world.propose(two!.id, "RUNNING", { token: two!.token! }),
  ]);
  const [first, stale, taken, last] = answers;
  assertEquals([first.answer.status, stale, taken, last.answer.status, commits], [
    "ACCEPT",
    "stale_token",
    "conflict",
    "ACCEPT",
    1,
  ]);
});

Deno.test("Gatekeeper keeps the order of operations on one run", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const run = await world.run();
  // The first one takes a slot, which comes after everything that frees one; the second must not overtake it.
  const { answers: [pending, running, ended], commits } = await hooked.inOneBatch(() => [
    world.propose(run, "PENDING"),
    world.propose(run, "RUNNING"),
    world.propose(run, "COMPLETED"),
  ]);
  assertEquals([pending, running, ended].map(({ answer }) => answer.status), ["ACCEPT", "ACCEPT", "ACCEPT"]);
  assertEquals([(await world.record(run)).state.type, commits], ["COMPLETED", 1]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper frees before it takes, and configures in between", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { held: [one] } = await heldRuns(world, 1, { concurrency_limit: 1 });
  const [second, third] = await world.runs(2);
  const from = kv.commits.length;
  const { answers: [taken, other, ended] } = await hooked.inOneBatch(() => [
    world.propose(second!, "PENDING"),
    world.propose(third!, "PENDING"),
    world.propose(one!.id, "COMPLETED", { token: one!.token! }),
  ]);
  assertEquals([taken, other, ended].map(({ answer }) => answer.status), ["ACCEPT", "ABORT", "ACCEPT"]);
  assertEquals(gateCommits(kv.commits.slice(from)).length, 2, "the one that kept it busy, and the batch");
  const { answers: [raised, now] } = await hooked.inOneBatch(() => [
    world.propose(third!, "PENDING"),
    world.services.workPools.update("pool", { concurrency_limit: 2 }),
  ]);
  assertEquals([raised.answer.status, now], ["ACCEPT", undefined]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper makes several configurations in turn", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const names = Array.from({ length: 12 }, (_, i) => `q${i}`);
  await hooked.inOneBatch(() =>
    names.map((name) => world.services.workQueues.create("pool", { name, is_paused: false }))
  );
  const views = await world.services.workQueues.list("pool", null, { limit: 50, offset: 0 });
  assertEquals(new Set(views.map(({ config }) => config.priority)).size, 13);
  assertEquals(new Set(views.map(({ config }) => config.no)).size, 13);
});

Deno.test("Gatekeeper decides anew what a rival made impossible", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool({ concurrency_limit: 1 });
  const [first, second] = await world.runs(2);
  await world.propose(second!, "SCHEDULED"); // the gate and its queues are in memory now
  onNextGateCommit(kv, async ({ send }) => {
    assertEquals((await rival.propose(first!, "PENDING")).answer.status, "ACCEPT");
    return await send();
  });
  const { answer } = await world.propose(second!, "PENDING");
  assertEquals(answer.status, "ABORT");
  assert(answer.reason?.includes("1 of 1 slots are taken"), answer.reason ?? "");
  assertEquals(await world.faults(), []);
  assertEquals(await world.claim(pool.keeper), []);
});

Deno.test("Gatekeeper grants to a claim at once although a rival won the first race", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool();
  const [first, second] = await world.runs(2);
  onNextGateCommit(kv, async ({ send }) => {
    await rival.propose(first!, "PENDING");
    return await send();
  });
  const claiming = pool.keeper.claim(world.claimOf(await world.session()), MINUTE);
  await settle(6);
  world.deps.controller.abort();
  assertEquals(ids(await claiming), [second]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper answers a claim that does not wait although a rival took what it found", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool();
  const run = await world.run();
  const session = await world.session();
  onNextGateCommit(kv, async ({ send }) => {
    await rival.propose(run, "PENDING");
    return await send();
  });
  assertEquals(await world.claim(pool.keeper, 1, session), []);
  assertEquals([pool.keeper.waitingClaims, pool.keeper.isIdle], [0, true]);
});

Deno.test("Gatekeeper lets go of a client that leaves while a rival wins", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool();
  const run = await world.run();
  const client = new AbortController();
  onNextGateCommit(kv, async ({ send }) => {
    client.abort();
    await rival.propose(run, "PENDING");
    return await send();
  });
  const claim = world.claimOf(await world.session(), 1, { signal: client.signal });
  assertEquals(await pool.keeper.claim(claim, MINUTE), []);
  await world.deps.advance(0);
  assertEquals([pool.keeper.waitingClaims, pool.keeper.isIdle], [0, true]);
});

Deno.test("Gatekeeper does not rest a refusal on what a rival has changed since", async () => {
  using hooked = hookedWorld();
  const { world, rival } = hooked;
  await world.pool({ concurrency_limit: 1 });
  const [first, second] = await world.runs(2);
  await world.propose(first!, "PENDING");
  await rival.propose(first!, "COMPLETED");
  assertEquals((await world.propose(second!, "PENDING")).answer.status, "ACCEPT");
});

Deno.test("Gatekeeper grants no run that was deleted since it was read as waiting", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool();
  const [first, second] = await world.runs(2);
  const session = await world.session();
  kv.beforeRead = async ([kind]) => {
    if (kind !== "run") return;
    kv.beforeRead = () => Promise.resolve();
    await rival.services.flowRuns.delete(first!);
  };
  assertEquals(ids(await world.claim(pool.keeper, 5, session)), [second]);
});

Deno.test("Gatekeeper.preview() shows no run that was deleted since it was read as waiting", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const pool = await world.pool();
  const [first, second] = await world.runs(2);
  kv.beforeRead = async ([kind, id]) => {
    if (kind !== "run" || id !== first) return;
    kv.beforeRead = () => Promise.resolve();
    await rival.services.flowRuns.delete(first!);
  };
  const { grants } = await pool.keeper.preview(() => ({ n: 5, dueBefore: world.now, allows: () => true }));
  assertEquals(grants.map(({ run }) => run.id), [second]);
});

Deno.test("Gatekeeper tries again what found the store locked", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool();
  const run = await world.run();
  onNextGateCommit(kv, () => Promise.reject(new TypeError("database is locked")));
  assertEquals((await world.propose(run, "PENDING")).answer.status, "ACCEPT");
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper recognises by its id a commit that was applied though its check failed", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool();
  const run = await world.run();
  const appliedTwice = async ({ send }: SentCommit) => {
    assert((await send()).ok);
    return await send(); // as KV Connect does when the first answer is lost
  };
  onNextGateCommit(kv, appliedTwice);
  const [grant] = await world.claim(pool.keeper);
  assertEquals(grant?.id, run);
  onNextGateCommit(kv, appliedTwice);
  const { answer, isWritten } = await world.propose(run, "RUNNING", { token: grant!.token! });
  assertEquals([answer.status, isWritten], ["ACCEPT", true]);
  assertEquals((await world.record(run)).runCount, 1, "once");
  assertEquals(await world.faults(), []);
});

let foreignOp = 0;

/** Rewrites the gate `times` times, as rivals do with changes of no concern. */
async function rewriteGate({ kv }: HookedWorld, pool: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const entry = await kv.behind.get<GateRecord>(["gate", pool, 0]);
    const ops = Uint32Array.from([...entry.value!.ops, ++foreignOp].slice(-8));
    await kv.behind.set(["gate", pool, 0], { ...entry.value!, ops });
  }
}

for (const applied of [true, false]) {
  Deno.test(`Gatekeeper finds out after many foreign commits that its own was ${applied ? "" : "not "}applied`, async () => {
    using hooked = hookedWorld();
    const { world, kv } = hooked;
    const pool = await world.pool({ queues: { q: {} } });
    const q = (await world.services.workQueues.get(pool.name, "q")).queue;
    const steps: ((run: string) => Promise<unknown>)[] = [
      (run) => world.services.flowRuns.move(run, q.id),
      (run) => world.propose(run, "PENDING"),
      (run) => world.propose(run, "RUNNING"),
      (run) => world.services.flowRuns.delete(run),
    ];
    const run = await world.run();
    for (const step of steps) {
      onNextGateCommit(kv, async ({ send }) => {
        if (applied) assert((await send()).ok);
        await rewriteGate(hooked, pool.id, 9);
        return await send();
      });
      await world.soon(step(run));
      assertEquals(await world.faults(), []);
    }
    assertEquals((await world.kv.get(["run", run])).value, null);
  });
}

Deno.test("Gatekeeper finds the pool deleted that it deleted itself, though the answer was lost", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool();
  kv.onCommit = async (commit) => {
    const result = await commit.send();
    const endsGate = commit.mutations.some(({ type, key }) => type === "delete" && key[0] === "gate");
    return endsGate ? await commit.send() : result;
  };
  await world.services.workPools.delete(pool.name);
  assertEquals(await world.services.workPools.find(pool.name), undefined);
});

Deno.test("Gatekeeper answers unknown_outcome when a commit does not, and goes on", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool();
  const [one, two] = await world.runs(2);
  const release = Promise.withResolvers<void>();
  onNextGateCommit(kv, async ({ send }) => {
    await release.promise;
    return await send();
  });
  const stuck = world.propose(one!, "PENDING");
  const refused = assertRejects(() => stuck, DomainError, "did not answer");
  await settle();
  const next = world.propose(two!, "PENDING");
  await world.deps.advance(9_999);
  await world.deps.advance(1);
  await refused;
  assertEquals((await next).answer.status, "ACCEPT");
  release.resolve(); // it lands late, is excluded by the gate
  await settle();
  assertEquals((await world.record(one!)).state.type, "SCHEDULED");
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper drops what it knew when the outcome is unknown, and is right afterwards", async () => {
  for (const applied of [true, false]) {
    using hooked = hookedWorld();
    const { world, kv } = hooked;
    const pool = await world.pool({ concurrency_limit: 1 });
    const [one, two] = await world.runs(2);
    onNextGateCommit(kv, async ({ send }) => {
      if (applied) await send();
      return await lost();
    });
    await assertRejects(() => world.propose(one!, "PENDING"), DomainError, "did not answer");
    assertEquals((await world.propose(two!, "PENDING")).answer.status, applied ? "ABORT" : "ACCEPT");
    assertEquals(await world.faults(), []);
    assertEquals(pool.keeper.isIdle, true);
  }
});

Deno.test("Gatekeeper refuses a claim whose commit has an unknown outcome; the same claim gets the grants", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool();
  const runs = await world.runs(3);
  const claim = world.claimOf(await world.session(), 2);
  onNextGateCommit(kv, async ({ send }) => {
    await send();
    return await lost();
  });
  await assertRejects(() => pool.keeper.claim(claim, MINUTE), DomainError, "did not answer");
  const again = await pool.keeper.claim(claim, MINUTE);
  assertEquals(ids(again).toSorted(), runs.slice(0, 2));
  assertEquals((await world.record(runs[0]!)).attempt, 1);
});

Deno.test("claim() again with the same id gets the same grants, another id gets others", async () => {
  using world = new World();
  const pool = await world.pool();
  const runs = await world.runs(3);
  const session = await world.session();
  const claim = world.claimOf(session, 2);
  const first = await pool.keeper.claim(claim, MINUTE);
  const again = await pool.keeper.claim(claim, MINUTE);
  const tokens = (granted: RunRecord[]) => granted.map(({ id, token }) => `${id} ${token}`).sort();
  assertEquals(tokens(again), tokens(first));
  assertEquals(ids(await pool.keeper.claim(world.claimOf(session, 2), MINUTE)), [runs[2]!]);
});

Deno.test("claim() again while the first one waits takes its place", async () => {
  using world = new World();
  const pool = await world.pool();
  const claim = world.claimOf(await world.session());
  const first = pool.keeper.claim(claim, MINUTE);
  await settle();
  const second = pool.keeper.claim(claim, MINUTE);
  assertEquals(await first, []);
  const run = await world.run();
  assertEquals(ids(await second), [run]);
});

Deno.test("claim() grants nothing to a client that left just before the commit", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool();
  const run = await world.run();
  const client = new AbortController();
  const session = await world.session();
  kv.beforeRead = ([kind]) => {
    if (kind === "run") client.abort();
    return Promise.resolve();
  };
  const other = pool.keeper.claim(world.claimOf(session, 1, { signal: client.signal }), MINUTE);
  assertEquals(await other, []);
  await settle();
  assertEquals((await world.record(run)).state.type, "SCHEDULED");
  assertEquals(ids(await world.claim(pool.keeper, 1, session)), [run]);
});

Deno.test("claim() leaves to the others at once what a client that left did not take", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool({ is_paused: true });
  const run = await world.run();
  const client = new AbortController();
  const session = await world.session();
  const leaving = pool.keeper.claim(world.claimOf(session, 1, { signal: client.signal }), MINUTE);
  const staying = pool.keeper.claim(world.claimOf(session), MINUTE);
  await settle();
  kv.beforeRead = ([kind]) => {
    if (kind === "run") client.abort();
    return Promise.resolve();
  };
  await world.services.workPools.update(pool.name, { is_paused: false });
  assertEquals([await leaving, ids(await staying)], [[], [run]]);
});

Deno.test("claim() leaves in their order to the others what a client that left did not take", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const pool = await world.pool({ is_paused: true });
  const [first] = await world.runs(2);
  const client = new AbortController();
  const session = await world.session();
  const leaving = pool.keeper.claim(world.claimOf(session, 1, { signal: client.signal }), MINUTE);
  const staying = pool.keeper.claim(world.claimOf(session), MINUTE);
  await settle();
  kv.beforeRead = ([kind]) => {
    if (kind === "run") client.abort();
    return Promise.resolve();
  };
  await world.services.workPools.update(pool.name, { is_paused: false });
  assertEquals([await leaving, ids(await staying)], [[], [first]]);
});
