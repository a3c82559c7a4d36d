/**
 * Every proposed state, from every situation of a run, by force or not, with the current token, a wrong one, or none:
 * through the real services on a real KV. What has to come out is told by {@link ROWS}, written from the protocol
 * (docs/gate.md, "Run state × slot" and "Tokens and sessions") and the reference's rules (docs/api.md).
 */
import { assert, assertEquals } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { type RunRecord, STATE_TYPES, type StateType } from "../../src/schemas/records.ts";
import { readAll } from "./audit.ts";
import { POOL, World } from "./factories.ts";

type Holder = "agent" | "third party" | "nobody";

interface Situation {
  name: string;
  type: StateType;
  holder: Holder;
  /** Due in an hour. */
  isLater?: boolean;
  /** Fails into a retry inside its process. */
  hasRetries?: boolean;
  /** Has a stored result. */
  isStored?: boolean;
  /** Was never handed out, so that no token of it can be an old one. */
  isFresh?: boolean;
}

/** What is proposed, by which token. */
interface Proposed {
  to: StateType;
  name?: "Submitting";
  isSuspend?: boolean;
  force: boolean;
  token: "none" | "current" | "wrong";
}

/** The answer's status, and what the run is afterwards. "same": nothing was written. */
type Outcome = "409" | `${"ACCEPT" | "REJECT" | "ABORT" | "WAIT"} ${StateType | "same"}`;

const ENDS: readonly StateType[] = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"];
const isEnd = (type: StateType) => ENDS.includes(type);

type Row = [
  about: string,
  when: (is: Situation, by: Proposed) => boolean,
  outcome: (by: Proposed) => Outcome,
];

/** The first row that fits tells the outcome. */
const ROWS: readonly Row[] = [
  ["an old token, and only that, is a 409", (is, by) => by.token === "wrong" && !is.isFresh, () => "409"],

  // The ended run.
  [
    "a report is repeated",
    (is, by) => isEnd(is.type) && by.token === "current" && by.to === is.type,
    () => "ACCEPT same",
  ],
  [
    "a report contradicts an earlier one",
    (is, by) => isEnd(is.type) && by.token === "current",
    ({ to }) => isEnd(to) ? "REJECT same" : "ABORT same",
  ],
  ["a result stays", (is, by) => is.isStored === true && !isEnd(by.to), () => "REJECT same"],
  [
    "an ended run is scheduled anew",
    (is, by) => isEnd(is.type) && by.to === "SCHEDULED",
    () => "ACCEPT SCHEDULED",
  ],
  ["an ended run is started anew", (is, by) => isEnd(is.type) && by.to === "RUNNING", () => "ACCEPT RUNNING"],
  [
    "ended is ended",
    (is, by) => isEnd(is.type) && isEnd(by.to) && by.to !== "CRASHED",
    () => "REJECT same",
  ],
  ["ended is ended", (is) => isEnd(is.type), () => "ABORT same"],

  // Who holds it by a token is asked by it; without, it can be cancelled, ended by force, and told to pause.
  [
    "only the token's owner speaks for an agent's run",
    (is, by) =>
      is.holder === "agent" && by.token === "none" && by.to !== "CANCELLING" &&
      !(isEnd(by.to) && by.force) && !(by.to === "PAUSED" && !by.isSuspend),
    () => "ABORT same",
  ],

  // Being cancelled.
  [
    "the last word of who was told to cancel is CANCELLED",
    (is, by) => is.type === "CANCELLING" && by.token === "current" && isEnd(by.to) && by.to !== "CANCELLED",
    () => "REJECT CANCELLED",
  ],
  [
    "cancelling is sticky",
    (is, by) => is.type === "CANCELLING" && by.to !== "CANCELLED" && !by.force,
    () => "REJECT same",
  ],
  [
    "what does not run is cancelled at once",
    (is, by) => by.to === "CANCELLING" && is.holder === "nobody",
    () => "REJECT CANCELLED",
  ],

  ["force", (_, by) => by.force, ({ to }) => `ACCEPT ${to}`],

  [
    "claimed is claimed, but may be renamed",
    (is, by) => by.to === "PENDING" && is.type === "PENDING" && by.name === "Submitting",
    () => "ACCEPT PENDING",
  ],
  [
    "claimed is claimed",
    (is, by) => by.to === "PENDING" && (is.type === "PENDING" || is.type === "RUNNING"),
    () => "ABORT same",
  ],
  ["only what runs pauses", (is, by) => by.to === "PAUSED" && is.type !== "RUNNING", () => "REJECT same"],
  [
    "what paused runs on, waits or ends",
    (is, by) => is.type === "PAUSED" && by.to === "PENDING",
    () => "REJECT same",
  ],
  [
    "nothing starts before its time",
    (is, by) => is.isLater === true && by.to === "RUNNING",
    () => "WAIT same",
  ],
  [
    "a failure is retried",
    (is, by) => is.hasRetries === true && by.to === "FAILED",
    () => "REJECT SCHEDULED",
  ],
  ["anything else", () => true, ({ to }) => `ACCEPT ${to}`],
];

/** Whether a run that was (not) held is held in its new state. */
function isHeldAfter(is: Situation, by: Proposed, type: StateType): boolean {
  const wasHeld = is.holder !== "nobody";
  if (type === "PENDING" || type === "RUNNING") return true;
  if (type === "CANCELLING") return wasHeld;
  if (type === "PAUSED") return wasHeld && !by.isSuspend;
  // Only the retry inside the engine waits with its slot; a proposed SCHEDULED gives it back.
  return type === "SCHEDULED" && is.hasRetries === true && by.to === "FAILED";
}

interface Driven {
  run: string;
  token: string | undefined;
}

const WAITING: Situation[] = [
  { name: "waiting", type: "SCHEDULED", holder: "nobody", isFresh: true },
  { name: "waiting for later", type: "SCHEDULED", holder: "nobody", isLater: true, isFresh: true },
  { name: "released", type: "SCHEDULED", holder: "nobody" },
  { name: "suspended", type: "PAUSED", holder: "nobody" },
  { name: "paused by force while it waited", type: "PAUSED", holder: "nobody", isFresh: true },
];
const HELD: Situation[] = (["agent", "third party"] as const).flatMap((holder) => [
  { name: "claimed", type: "PENDING", holder },
  { name: "claimed early", type: "PENDING", holder, isLater: true },
  { name: "running", type: "RUNNING", holder },
  { name: "running with retries", type: "RUNNING", holder, hasRetries: true },
  { name: "paused in its process", type: "PAUSED", holder },
  { name: "being cancelled", type: "CANCELLING", holder },
  { name: "retrying in its process", type: "SCHEDULED", holder },
]);
const ENDED: Situation[] = [
  ...ENDS.flatMap((type): Situation[] => [
    { name: "ended by its agent", type, holder: "nobody" },
    { name: "ended without a token", type, holder: "nobody" },
  ]),
  { name: "ended by its agent with a result", type: "COMPLETED", holder: "nobody", isStored: true },
];

const HOUR = 3_600_000_000;

/** A run in the situation, and the token that is current there. */
async function drive(world: World, is: Situation, deployment: string): Promise<Driven> {
  const needsRetries = is.hasRetries || is.name === "retrying in its process";
  const run = await world.run({
    deployment_id: deployment,
    at: is.isLater ? world.now + HOUR : world.now,
    ...(needsRetries
      ? { empirical_policy: { max_retries: 0, retry_delay_seconds: 0, retries: 1, retry_delay: 0 } }
      : {}),
  });
  const byAgent = is.holder === "agent" || is.name.startsWith("ended by its agent");
  if (is.name === "released") {
    await world.propose(run, "SCHEDULED", { token: await claim(world, run) });
    return { run, token: undefined };
  }
  const isWaiting = is.holder === "nobody" && is.type === "SCHEDULED";
  if (isWaiting) return { run, token: undefined };
  if (is.name === "paused by force while it waited") {
    await world.propose(run, "PAUSED", { force: true });
    return { run, token: undefined };
  }
  const token = byAgent ? await claim(world, run) : undefined;
  if (!byAgent) await world.propose(run, "PENDING");
  if (is.type === "PENDING") return { run, token };
  await world.propose(run, "RUNNING", { token });
  const last = {
    "suspended": () => world.propose(run, "PAUSED", { token, details: { pause_reschedule: true } }),
    "paused in its process": () => world.propose(run, "PAUSED", { token }),
    "being cancelled": () => world.propose(run, "CANCELLING"),
    "retrying in its process": () => world.propose(run, "FAILED", { token }),
  }[is.name];
  if (last) await last();
  else if (isEnd(is.type)) {
    const data = is.isStored ? { data: `{"type":"reference"}` } : {};
    await world.propose(run, is.type, { token, ...data });
  }
  return { run, token: is.name === "suspended" ? undefined : token };
}

async function claim(world: World, run: string): Promise<string> {
  const pool = await world.services.workPools.require(POOL);
  const claim = world.claimOf(await sessionOf(world), 1, { prefetch: 2 * HOUR });
  const [granted] = await world.services.gates.of(pool.id).claim(claim, 1_000);
  assertEquals(granted?.id, run);
  return granted!.token!;
}

const sessions = new WeakMap<World, string>();
async function sessionOf(world: World): Promise<string> {
  const session = sessions.get(world) ?? await world.session();
  sessions.set(world, session);
  return session;
}

const TOKENS: Record<"with" | "without", Proposed["token"][]> = {
  with: ["none", "current", "wrong"],
  without: ["none", "wrong"],
};

function proposals(hasToken: boolean): Proposed[] {
  const states: Pick<Proposed, "to" | "name" | "isSuspend">[] = [
    ...STATE_TYPES.map((to) => ({ to })),
    { to: "PENDING", name: "Submitting" },
    { to: "PAUSED", isSuspend: true },
  ];
  const tokens = TOKENS[hasToken ? "with" : "without"];
  return states.flatMap((state) =>
    [false, true].flatMap((force) => tokens.map((token) => ({ ...state, force, token })))
  );
}

async function propose(world: World, { run, token }: Driven, by: Proposed): Promise<string> {
  try {
    const { answer } = await world.propose(run, by.to, {
      token: { none: undefined, current: token, wrong: "some-old-token" }[by.token],
      force: by.force,
      ...(by.name ? { name: by.name } : {}),
      ...(by.isSuspend ? { details: { pause_reschedule: true } } : {}),
    });
    return answer.status;
  } catch (error) {
    assert(error instanceof DomainError && error.code === "stale_token", String(error));
    return "409";
  }
}

/** Proposes one state in one situation and compares everything that has to be true afterwards. */
async function check(world: World, is: Situation, driven: Driven, by: Proposed): Promise<void> {
  const before = await world.record(driven.run);
  assertEquals(
    [before.state.type, holderOf(before)],
    [is.type, is.holder],
    `the situation itself: ${is.name}`,
  );
  const status = await propose(world, driven, by);
  const after = await world.record(driven.run);

  const [, , outcome] = ROWS.find(([, when]) => when(is, by))!;
  const [expectedStatus, expectedType] = outcome(by).split(" ");
  const isWritten = expectedType !== undefined && expectedType !== "same";
  assertEquals(status, expectedStatus);
  if (!isWritten) return assertEquals(after, before);

  assertEquals(after.state.type, expectedType);
  assert(after.state.timestamp > before.state.timestamp && after.state.id !== before.state.id);
  const isHeld = isHeldAfter(is, by, after.state.type);
  const newHolder = is.holder === "nobody" ? "third party" : is.holder;
  assertEquals(holderOf(after), isHeld ? newHolder : "nobody");
  if (isHeld && is.holder !== "nobody") {
    assertEquals([after.session, after.token, after.attempt], [before.session, before.token, before.attempt]);
  }
  if (isEnd(is.type)) {
    assert(["SCHEDULED", "RUNNING"].includes(after.state.type), "terminal changes by a retry only");
  }
}

function holderOf({ session }: RunRecord): Holder {
  if (session === null) return "nobody";
  return session === "tp" ? "third party" : "agent";
}

async function walk(situations: readonly Situation[]): Promise<number> {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const deployment = await world.deployment();
  let count = 0;
  for (const is of situations) {
    const hasToken = is.holder === "agent" || is.name.startsWith("ended by its agent");
    for (const by of proposals(hasToken)) {
      const about = `${is.type} ${is.name} (${is.holder}) → ${JSON.stringify(by)}`;
      const driven = await drive(world, is, deployment);
      try {
        await check(world, is, driven, by);
        assertEquals(await world.faults(), []); // leases, counts and the index agree with the record
      } catch (error) {
        throw new Error(about, { cause: error });
      }
      await world.services.flowRuns.delete(driven.run);
      const left = await readAll(world.kv);
      assertEquals(
        [left.leases, left.waits, [...left.gates.values()].map(({ occ }) => occ)],
        [[], [], [0]],
        about,
      );
      count++;
    }
  }
  return count;
}

Deno.test("set_state from every situation in which nobody holds the run", async () => {
  assert(await walk(WAITING) > 150);
});

Deno.test("set_state from every situation in which an agent or a third party holds the run", async () => {
  assert(await walk(HELD) > 700);
});

Deno.test("set_state from every situation in which the run has ended", async () => {
  assert(await walk(ENDED) > 450);
});
