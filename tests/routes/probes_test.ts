/** Replays what was recorded of a real server of the reference, and compares status and body. */
import { assert, assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

/** Differences that are meant, by what the request looks like. Everything else has to be equal. */
const ACCEPTED: { request: RegExp; reason: string }[] = [
  { request: /^POST \/flows $/, reason: "both slash forms are served; the reference redirects (307)" },
  { request: /^GET \/hello/, reason: "the recorder sent version headers; see app_test.ts" },
  { request: /^GET \/admin\/version/, reason: "ours is higher, so that clients of both majors go on" },
  { request: /^GET \/csrf-token/, reason: "CSRF is off, and the answer says so whatever was asked" },
  { request: /queues\/d \{"name": "default"\}/, reason: "the refusal names what is taken" },
  { request: /queues \{"name": "a"\}$/, reason: "the reference's text shows an unfilled placeholder" },
  { request: /^DELETE \/work_pools\/probe1\/queues\/default/, reason: "409 with a reason instead of a 500" },
  { request: /^DELETE \/work_queues\/26ea/, reason: "the refusal says why: it is the default queue" },
  { request: /^POST \/work_queues\/ \{"name": "default"\}/, reason: "here the pool does not exist yet" },
  {
    request: /^POST \/deployments\/ \{"name": "pd",/,
    reason: "made with a schema, which comes with a later release",
  },
  { request: /^GET \/deployments\/3eeb/, reason: "as the one before" },
  { request: /"name": "a\/b c%"/, reason: "422 instead of a 500" },
  { request: /"name": "pd3", .*"lq"/, reason: "what only 2.20 clients read is sent to everybody" },
  { request: /create_flow_run/, reason: "parameters are checked against schemas by a later release" },
  {
    request: /get_scheduled_flow_runs \{"limit": 1\}/,
    reason: "another run comes first, since the one before was made",
  },
  { request: /32219242-.*"RUNNING"/, reason: "the recorded scheduled time has passed since" },
  { request: /^DELETE \/flows/, reason: "comes with a later release" },
  { request: /^DELETE \/work_pools\/probe1 $/, reason: "refused while runs hold slots there" },
];

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const ZERO = "00000000-0000-0000-0000-000000000000";
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

interface Probe {
  method: string;
  path: string;
  body: string;
  status: number;
  answer: string;
}

function readProbes(): Probe[] {
  const text = Deno.readTextFileSync(new URL("../data/prefect_probes.txt", import.meta.url));
  return text.trimEnd().split("\n").map((line) => {
    const [method = "", path = "", body = "", status = "", answer = ""] = line.split("\t");
    return { method, path, body, status: Number(status), answer };
  });
}

Deno.test("recorded requests get the reference's answers", async (t) => {
  await using app = await StartedApp.start();
  /** Their ids → ours, learnt from answers. */
  const ids = new Map<string, string>([[ZERO, ZERO]]);
  const used = new Set<RegExp>();
  let compared = 0;
  for (const probe of readProbes()) {
    const asked = `${probe.method} ${probe.path} ${probe.body}`;
    const isAnswerable = [...asked.matchAll(UUID)].every(([id]) => ids.has(id));
    if (!isAnswerable) continue;
    const ours = (text: string) => text.replace(UUID, (id) => ids.get(id) ?? id);
    const headers: Record<string, string> = {};
    const got = await app.request(
      probe.method,
      ours(probe.path),
      probe.body === "" ? undefined : ours(probe.body),
      headers,
    );
    learn(ids, probe.answer, got.text);
    const accepted = ACCEPTED.find(({ request }) => request.test(asked));
    if (accepted) {
      used.add(accepted.request);
      continue;
    }
    compared++;
    await t.step(asked.slice(0, 120), () => {
      assertEquals(got.status, probe.status, got.text.slice(0, 500));
      const theirs = parsed(ours(probe.answer));
      if (theirs !== undefined) assertEquals(normal(got.body), normal(theirs));
    });
  }
  assert(compared > 80, `only ${compared} requests were compared`);
  assertEquals(ACCEPTED.filter(({ request }) => !used.has(request)), [], "differences that no longer exist");
});

/** Pairs the ids of two answers, in the order in which they stand. */
function learn(ids: Map<string, string>, theirs: string, ours: string): void {
  for (const key of ["id", "default_queue_id", "work_queue_id", "work_pool_id", "flow_id"]) {
    const find = (text: string) => new RegExp(`"${key}":"(${UUID.source})"`).exec(text)?.[1];
    const [from, to] = [find(theirs), find(ours)];
    if (from && to && !ids.has(from)) ids.set(from, to);
  }
}

/** Undefined when the recorder cut it. */
function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without what differs at each run: times, durations, made-up names, and a JSON parser's own words and positions. */
function normal(value: unknown): unknown {
  const text = JSON.stringify(value ?? null).replace(TIME, "TIME")
    .replace(/"name":"[a-z]+-[a-z]+"/g, '"name":"NAME"')
    .replace(/"(estimated_run_time|estimated_start_time_delta|total_run_time)":[\d.]+/g, '"$1":0');
  return JSON.parse(text, (_key, inner) => {
    const isParserError = typeof inner === "object" && inner !== null && inner.type === "json_invalid";
    return isParserError ? { ...inner, loc: "", ctx: "" } : inner;
  });
}
