import { buildIds } from "../../src/runtime/ids.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { cliMain } from "../../src/cli/main.ts";
import type { CliWorld, Main } from "../../src/cli/world.ts";
import { parseInstant } from "../../src/schemas/wire.ts";
import { SeededRandom } from "../testing/seeded_random.ts";

export const NOW = "2026-11-23T12:00:00Z";

export interface SentRequest {
  method: string;
  path: string;
  body: unknown;
  headers: Headers;
}

/** What the server answers to one request: a body with status 200, or a whole response. */
type Answer = (request: SentRequest) => unknown;

/** By `METHOD /path` below `/api`; anything else is 404. */
export type Answers = Record<string, Answer>;

export interface FakeServer {
  answers?: Answers;
  /** Nobody listens. */
  isDown?: boolean;
}

export interface FakeWorld extends FakeServer {
  env?: Record<string, string>;
  /** Of the terminal; without them there is none. */
  columns?: number;
  rows?: number;
  page?: (text: string) => Promise<boolean>;
  confirm?: (question: string) => boolean;
  serverMain?: Main;
  agentMain?: Main;
  /** A real server instead of answers. */
  fetch?: CliWorld["fetch"];
  stop?: AbortController;
}

export interface Outcome {
  code: number;
  out: string;
  err: string;
  requests: SentRequest[];
}

/** Runs the command line against a server of given answers, and returns everything it said and sent. */
export async function runCli(args: readonly string[], fake: FakeWorld = {}): Promise<Outcome> {
  const outcome: Outcome = { code: -1, out: "", err: "", requests: [] };
  outcome.code = await cliMain(args, buildWorld(fake, outcome));
  return outcome;
}

function buildWorld(fake: FakeWorld, outcome: Outcome): CliWorld {
  const clock = jumpingClock();
  const random = new SeededRandom(1);
  const notExpected: Main = () => Promise.reject(new Error("not expected"));
  const { signal: stop } = fake.stop ?? new AbortController();
  return {
    env: { SLUICE_PROFILES_PATH: "/nonexistent/profiles.json", ...fake.env },
    deps: { clock, random, ids: buildIds(clock, random) },
    program: "sluice",
    self: ["sluice"],
    isTerminal: fake.columns !== undefined,
    isErrTerminal: fake.columns !== undefined,
    columns: () => fake.columns,
    rows: () => fake.rows,
    os: "linux",
    ...(fake.page ? { page: fake.page } : {}),
    writeOut: (text) => void (outcome.out += text),
    writeErr: (line) => void (outcome.err += `${line}\n`),
    drawErr: (text) => void (outcome.err += text),
    confirm: fake.confirm,
    listenForStop: () => ({ stop, hasten: stop, [Symbol.dispose]() {} }),
    serverMain: fake.serverMain ?? notExpected,
    agentMain: fake.agentMain ?? notExpected,
    fetch: fake.fetch ?? ((url, init) => respond(url, init, fake, outcome.requests)),
  };
}

/** Sleeping takes no time, and moves the clock. */
function jumpingClock(): Clock {
  let elapsed = 0;
  const start = parseInstant(NOW) ?? 0;
  return {
    now: () => start,
    monotonic: () => elapsed,
    sleep: (ms) => {
      elapsed += ms;
      return Promise.resolve();
    },
  };
}

async function respond(
  url: string,
  init: RequestInit,
  { answers, isDown }: FakeServer,
  requests: SentRequest[],
): Promise<Response> {
  await Promise.resolve();
  if (isDown) throw new TypeError("connection refused");
  const path = url.replace(/^https?:\/\/[^/]+\/api/, "");
  const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
  const request = { method: init.method ?? "GET", path, body, headers: new Headers(init.headers) };
  requests.push(request);
  const answer = answers?.[`${request.method} ${path}`]?.(request);
  if (answer instanceof Response) return answer;
  return answer === undefined
    ? Response.json({ detail: "There is no such object." }, { status: 404 })
    : Response.json(answer);
}
