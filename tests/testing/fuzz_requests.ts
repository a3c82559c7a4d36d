/** Random requests: those of the examples, mutated, with what earlier answers named. */
import type { Example } from "../routes/examples.ts";
import type { SeededRandom } from "./seeded_random.ts";

export interface FuzzRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer> | undefined;
}

const METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND"];
/** Few, so that requests meet the same objects. */
const NAMES = ["p", "q", "q2", "f", "d", "idle", "default", "default-agent-pool", "k", "n", ..."abcdeghij"];
const STATES = [
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
];

/** JSON texts that are hardly ever what a field is made for. */
const ODD = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1",
  "-1",
  "5.0",
  "1.5",
  "1e400",
  "-1e400",
  "1e-400",
  "9007199254740993",
  "65536",
  "4294967296",
  "123456789012345678901234567890",
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\uffff"',
  '"../.."',
  '"a/b"',
  '"%"',
  '"{{ x }}"',
  '"__proto__"',
  "[]",
  "[null]",
  "[[]]",
  "{}",
  '{"__proto__":{"a":1}}',
  '{"constructor":null}',
  '{"":0}',
  '"9999-12-31T23:59:59Z"',
  '"0001-01-01"',
  '"2026-02-30T25:61:61Z"',
  '"1970-01-01T00:00:00+99:99"',
  "253402300800",
  '"01a20d10-0000-7000-8000-00000000000a"',
  '"01A20D10-0000-7000-8000-00000000000A"',
];
/** Fields that take any object, of a size that does not fit into a record. */
const LARGE_FIELDS = /^(parameters|context|job_variables|data|base_job_template|parameter_openapi_schema)$/;
const LARGE = ["x".repeat(5_000), "x".repeat(70_000)];
const ODD_HEADERS: [string, string][] = [
  ["x-prefect-api-version", "0.8.4"],
  ["x-prefect-api-version", "0.7"],
  ["x-prefect-api-version", "\xff"],
  ["sluice-claim-token", "x".repeat(300)],
  ["content-type", "text/plain"],
  ["content-type", "multipart/form-data"],
  ["content-type", ";;;"],
  ["content-encoding", "gzip"],
  ["content-length", "3"],
  ["content-length", "-1"],
  ["origin", "null"],
  ["sec-fetch-site", "cross-site"],
  ["host", "evil.example"],
  ["host", ""],
  ["x-prefect-ui", "true"],
  ["accept", "\xe9"],
  ["cookie", "a=".repeat(500)],
  ["transfer-encoding", "chunked"],
  ["if-none-match", "*"],
];
const ODD_PATHS = [
  "/",
  "/api",
  "/api//flows",
  "/api/../main.ts",
  "/api/%",
  "/api/flows/%ff",
  "/api/flows/name/%00",
  "/api/flows/name/%e0%80%af",
  "/t//api/health",
  "/t/%/api/health",
  "/t/x/api",
  "/docs",
  "/docs/",
  "/docs/../api",
  "/api/work_pools/%2e%2e/queues",
  `/api/flows/name/${"n".repeat(3_000)}`,
  "/api/flow_runs/count/",
  "/api/openapi.json?x",
  "/api/work_pools/ /queues/\u00e9",
];

export class FuzzRequests {
  readonly #random: SeededRandom;
  readonly #examples: readonly Example[];
  readonly #making: readonly Example[];
  /** Texts that answers had under a key, and the ids and names of each resource. The last ones, since things go. */
  readonly #seen = new Map<string, string[]>();

  constructor(random: SeededRandom, examples: readonly Example[]) {
    this.#random = random;
    this.#examples = examples;
    this.#making = examples.filter(({ method, status }) => method === "POST" && status === 201);
  }

  next(): FuzzRequest {
    const random = this.#random;
    if (random.chance(0.02)) return this.#request(pick(random, METHODS), pick(random, ODD_PATHS), undefined);
    const isMaking = random.chance(0.2);
    const example = isMaking ? pick(random, this.#making) : this.#example();
    const { method } = random.chance(0.02) ? { method: pick(random, METHODS) } : example;
    return this.#request(method, this.#path(example), this.#body(example, isMaking ? 0.9 : 0.4));
  }

  /** Remembers what an answer named. */
  learn(path: string, answer: unknown): void {
    const owner = ownerOf(path.replace(/^.*\/api/, "").split("?")[0]!.split("/").slice(1));
    const visit = (value: unknown, key: string, depth: number): void => {
      if (typeof value === "string" && value.length < 300) {
        this.#remember(key, value);
        if (depth <= 2 && (key === "id" || key === "name")) this.#remember(`${owner}.${key}`, value);
      } else if (typeof value === "object" && value !== null) {
        for (const [inner, item] of Object.entries(value)) {
          visit(item, Array.isArray(value) ? key : inner, depth + 1);
        }
      }
    };
    visit(answer, "", 0);
  }

  /** The ids in a path are of what is not there any more. Names may come back. */
  forget(path: string): void {
    const parts = new Set(path.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
    for (const [key, seen] of this.#seen) {
      this.#seen.set(key, seen.filter((value) => !parts.has(value)));
    }
  }

  #remember(key: string, value: string): void {
    const seen = (this.#seen.get(key) ?? []).filter((other) => other !== value);
    seen.push(value);
    if (seen.length > 20) seen.shift();
    this.#seen.set(key, seen);
  }

  /** Deleting is rarer than the rest, so that something lives. */
  #example(): Example {
    const random = this.#random;
    const example = pick(random, this.#examples);
    return example.method === "DELETE" && !random.chance(0.3) ? pick(random, this.#examples) : example;
  }

  #request(method: string, path: string, body: Uint8Array<ArrayBuffer> | undefined): FuzzRequest {
    const random = this.#random;
    const headers: Record<string, string> = {};
    if (random.chance(0.05)) Object.assign(headers, Object.fromEntries([pick(random, ODD_HEADERS)]));
    const tokens = this.#seen.get("token") ?? [];
    if (tokens.length > 0 && random.chance(0.2)) headers["sluice-claim-token"] = pick(random, tokens);
    const hasBody = method !== "GET" && method !== "HEAD";
    return { method, path, headers, body: hasBody ? body : undefined };
  }

  #path({ path, params, query: ownQuery }: Example): string {
    const random = this.#random;
    const parts = path.split("/").slice(1);
    const filled = parts.map((part, i) => {
      if (!part.startsWith(":")) return random.chance(0.003) ? randomText(random) : part;
      const chance = random.unit();
      if (chance < 0.05) return encodeURIComponent(randomText(random));
      if (chance < 0.25) return encodeURIComponent(params[part.slice(1)] ?? "");
      return encodeURIComponent(
        this.#living(part.slice(1), parts.slice(0, i)) ?? params[part.slice(1)] ?? "",
      );
    });
    const token = this.#seen.get("token")?.at(-1);
    const root = token !== undefined && random.chance(0.05) ? `/t/${token}/api` : "/api";
    const slash = random.chance(0.1) ? "/" : "";
    const query = random.chance(0.05)
      ? `?${encodeURIComponent(randomText(random))}=${random.int(9)}&limit=%`
      : ownQuery;
    return `${root}/${filled.join("/")}${slash}${query}`;
  }

  #living(name: string, before: readonly string[]): string | undefined {
    const owner = { pool: "work_pools", flow: "flows" }[name] ?? ownerOf(before);
    const seen = this.#seen.get(`${owner}.${name === "id" ? "id" : "name"}`);
    return seen && seen.length > 0 ? pick(this.#random, seen) : undefined;
  }

  /** @param sound how often it is left as it is */
  #body({ body }: Example, sound: number): Uint8Array<ArrayBuffer> | undefined {
    const random = this.#random;
    if (body === undefined) return random.chance(0.03) ? encode(pick(random, ODD)) : undefined;
    const holes = new Map<string, string>();
    let value: unknown = this.#lively(structuredClone(body), "");
    for (let n = random.chance(sound) ? 0 : 1 + random.int(4); n > 0; n--) {
      value = this.#mutated(value, holes);
    }
    let text = JSON.stringify(value) ?? "";
    for (const [hole, odd] of holes) text = text.replaceAll(`"${hole}"`, () => odd);
    return random.chance(0.05) ? this.#damaged(text) : encode(text);
  }

  /** With ids and names of what there is, mostly; and with states that lead somewhere. */
  #lively(value: unknown, key: string): unknown {
    const random = this.#random;
    if (Array.isArray(value)) return value.map((item) => this.#lively(item, key));
    if (typeof value === "object" && value !== null) {
      if (LARGE_FIELDS.test(key) && random.chance(0.1)) return { ...value, large: pick(random, LARGE) };
      return Object.fromEntries(
        Object.entries(value).map(([inner, item]) => [inner, this.#lively(item, inner)]),
      );
    }
    if (key === "type" && STATES.includes(String(value))) return pick(random, STATES);
    if (key === "wait") return 0;
    if (typeof value !== "string" || random.chance(0.15)) return value;
    const seen = this.#seen.get(OWNERS[key] ?? key) ?? [];
    if (/^(name|idempotency_key)$/.test(key) || seen.length === 0) {
      return NAMES.includes(value) ? pick(random, NAMES) : value;
    }
    return pick(random, seen);
  }

  #mutated(root: unknown, holes: Map<string, string>): unknown {
    const random = this.#random;
    const places = [...placesIn(root)];
    const place = pick(random, places);
    const odd = (text: string): string => {
      const hole = `\uFFFC${holes.size}`;
      holes.set(hole, text);
      return hole;
    };
    const replacement = (): unknown => {
      const other = pick(random, places);
      switch (random.int(6)) {
        case 0:
          return structuredClone(other.parent === undefined ? root : Reflect.get(other.parent, other.key));
        case 1:
          return odd(nested(random));
        case 2:
          return randomText(random);
        case 3:
          return random.int(200_000) - 100_000;
        default:
          return odd(pick(random, ODD));
      }
    };
    if (place.parent === undefined) return random.chance(0.2) ? replacement() : root;
    if (random.chance(0.25)) Reflect.deleteProperty(place.parent, place.key);
    else if (random.chance(0.1)) Reflect.set(place.parent, randomText(random), replacement());
    else Reflect.set(place.parent, place.key, replacement());
    return root;
  }

  /** No JSON any more, most times. */
  #damaged(text: string): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const bytes = encode(text);
    switch (random.int(5)) {
      case 0:
        return bytes.slice(0, random.int(bytes.length + 1));
      case 1:
        bytes[random.int(bytes.length)] = 128 + random.int(128);
        return bytes;
      case 2:
        return encode(text.replace(/"(\w+)":/, (all, key) => `"${key}":1,${all}`));
      case 3:
        return encode(`\uFEFF${text}`);
      default:
        return encode("[".repeat(1 + random.int(20_000)));
    }
  }
}

/** Whose ids and names stand under a key of a body. */
const OWNERS: Record<string, string> = {
  flow_id: "flows.id",
  deployment_id: "deployments.id",
  flow_run_id: "flow_runs.id",
  work_pool_name: "work_pools.name",
  work_queue_name: "queues.name",
  sessions: "session",
  pools: "work_pools.name",
  queues: "queues.name",
};

/** The resource that a path is about: its last part that names one. */
function ownerOf(parts: readonly string[]): string {
  if (parts.includes("create_flow_run") || parts.includes("get_runs")) return "flow_runs";
  const words = parts.filter((part) => /^[a-z_]+s$/.test(part));
  return (words.at(-1) ?? "").replace("work_queues", "queues");
}

interface Place {
  parent: object | undefined;
  key: PropertyKey;
}

function* placesIn(value: unknown): Generator<Place> {
  yield { parent: undefined, key: "" };
  yield* placesBelow(value);
}

function* placesBelow(value: unknown): Generator<Place> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield { parent: value, key };
    yield* placesBelow(inner);
  }
}

function nested(random: SeededRandom): string {
  const depth = 1 + random.int(random.chance(0.1) ? 3_000 : 20);
  return random.chance(0.5)
    ? `${"[".repeat(depth)}${"]".repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

const CHARACTERS = [..."abz019 _-./%&<>{}\"'\\\u0000\u007f\u00e9\u200b\u4e2d\ud83d\udc4b", "\ud800"];

function randomText(random: SeededRandom): string {
  const length = random.chance(0.03) ? random.int(20_000) : random.int(12);
  // A lone surrogate is no text that a URL can carry.
  return Array.from({ length }, () => pick(random, CHARACTERS)).join("").toWellFormed();
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.int(from.length)]!;
}
