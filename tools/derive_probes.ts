/**
 * Derives tests/data/prefect_probes.txt from recorded exchanges with a real server of the reference: those whose route
 * Sluice has, in their order, one a line, tab-separated: method, path, body, status, answer, and how much of the answer
 * is there: `cut` where the recorder kept its beginning only (made whole JSON), `part` where it kept some fields only.
 * Ids that the server made are numbered (`<1>`), times, made-up names and measured durations are marked.
 *
 *     deno run --allow-read --allow-write tools/derive_probes.ts FOLDER tests/data/prefect_probes.txt
 */
const [folder, target] = Deno.args;
if (folder === undefined || target === undefined) throw new Error("usage: derive_probes.ts FOLDER TARGET");

interface Exchange {
  method: string;
  path: string;
  body: string;
  status: string;
  answer: string;
  kept: "" | "cut" | "part";
}

/** What a later release has: limits of their own. */
const LATER = /^\/v2\/concurrency_limits/;

/** Answers to a header that the recorder did not write down; `tests/routes/app_test.ts` has these cases. */
const UNRECORDED_HEADER = /X-PREFECT-API-VERSION|requires version/;

/** The recorder cut longer bodies. */
const LONGEST_BODY = 400;
/** What it cut, as the answers show it. */
const CUT_OFF: Record<string, string> = {
  '"schedules": [{"schedule": {"interval": 3600, "anch': 'or_date": "2024-01-01T00:00:00Z", ' +
    '"timezone": "UTC"}}], "version": "1", "path": "/tmp", "entrypoint": "f.py:pf"}',
};

/** Queues and pools as the recorder printed them between two requests. */
const QUEUES = /^ {3}queues: \[(.*)\]$/;
const QUEUE = /\('([^']+)', (\d+), '[A-Z_]+', (True|False)\)/g;
const POOL = /^ {3}pool: [A-Z_]+ (True|False)$/;

/** The flow of the deployments in `probe4_3.txt`. */
const FLOW_ID = "0e9233cb-52fd-4dcb-aa21-b21e635b91e6";
const FLOW: Exchange = {
  method: "POST",
  path: "/flows/",
  body: '{"name": "scheduled"}',
  status: "201",
  answer: JSON.stringify({ id: FLOW_ID }),
  kept: "part",
};

/** One deployment with a schedule for each line of `probe4_3.txt`: made before its recording, so made here as the answer says. */
function scheduled(text: string): Exchange[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", answer] = /^(\w+) (\[\{.*\}\])$/.exec(line) ?? [];
    if (answer === undefined) return oneLine(line) ?? [];
    const [{ deployment_id: id, schedule }] = JSON.parse(answer);
    const body = JSON.stringify({ name, flow_id: FLOW_ID, schedules: [{ schedule }] });
    return [
      {
        method: "POST",
        path: "/deployments/",
        body,
        status: "201",
        answer: JSON.stringify({ id }),
        kept: "part",
      },
      { method: "GET", path: `/deployments/${id}/schedules`, body: "", status: "200", answer, kept: "" },
    ];
  });
}

function oneLine(line: string): Exchange | undefined {
  const [, request, answer] = /^(\S+ \S+ .*?)(?: ->)( \d{3} .*)$/.exec(line) ?? [];
  return request === undefined ? undefined : exchange(request, `   ->${answer}`);
}

function readExchanges(text: string): Exchange[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => seen(line) ?? exchange(line, lines[i + 1] ?? "") ?? []);
}

function exchange(line: string, next: string): Exchange | undefined {
  const request = /^(GET|POST|PUT|PATCH|DELETE) (\/\S*) ?(.*)$/.exec(line);
  const answered = /^ {3}-> (\d{3}) (?:ct=\S+ ?)?(.*)$/.exec(next);
  if (!request || !answered) return undefined;
  const [, method = "", path = "", body = ""] = request;
  const [, status = "", answer = ""] = answered;
  if (LATER.test(path) || UNRECORDED_HEADER.test(answer)) return undefined;
  return { method, path, body: uncut(body), status, ...whole(answer) };
}

function uncut(body: string): string {
  if (body.length < LONGEST_BODY) return body;
  const rest = Object.entries(CUT_OFF).find(([end]) => body.endsWith(end))?.[1];
  if (rest === undefined) throw new Error(`What was cut off this request? ${body}`);
  return body + rest;
}

/** What was seen, as if it had been asked for. */
function seen(line: string): Exchange | undefined {
  const asked = (method: string, path: string, answer: unknown): Exchange => (
    { method, path, body: "", status: "200", answer: JSON.stringify(answer), kept: "part" }
  );
  const queues = QUEUES.exec(line)?.[1];
  if (queues !== undefined) {
    const answer = [...queues.matchAll(QUEUE)].map(([, name, priority, paused]) => (
      { name, priority: Number(priority), is_paused: paused === "True" }
    ));
    return asked("POST", "/work_pools/probe1/queues/filter", answer);
  }
  const paused = POOL.exec(line)?.[1];
  return paused && asked("GET", "/work_pools/probe1", { is_paused: paused === "True" }) || undefined;
}

/** Cuts an answer that breaks off after its last complete member, and closes what is open there. */
function whole(answer: string): Pick<Exchange, "answer" | "kept"> {
  if (isJson(answer) || answer === "") return { answer, kept: "" };
  for (let end = answer.lastIndexOf(","); end > 0; end = answer.lastIndexOf(",", end - 1)) {
    const kept = answer.slice(0, end) + closing(answer.slice(0, end));
    if (isJson(kept)) return { answer: kept, kept: "cut" };
  }
  return { answer: "", kept: "cut" };
}

function closing(text: string): string {
  const open: string[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "{") open.unshift("}");
    else if (token === "[") open.unshift("]");
    else if (token === "}" || token === "]") open.shift();
  }
  return open.join("");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Numbers the ids that first appear in an answer; those that a client made up stay. */
function marked(exchanges: readonly Exchange[]): Exchange[] {
  const numbers = new Map<string, string>();
  const known = new Set(["00000000-0000-0000-0000-000000000000"]);
  const number = (text: string) => text.replace(UUID, (id) => numbers.get(id) ?? id);
  return exchanges.map((one) => {
    for (const [id] of `${one.path} ${one.body}`.matchAll(UUID)) if (!numbers.has(id)) known.add(id);
    for (const [id] of one.answer.matchAll(UUID)) {
      if (!known.has(id) && !numbers.has(id)) numbers.set(id, `<${numbers.size + 1}>`);
    }
    const answer = number(one.answer)
      .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"/g, '"<time>"')
      .replace(/"name":"[a-z]+-[a-z]+"/g, '"name":"<name>"')
      .replace(
        /"(estimated_run_time|estimated_start_time_delta|total_run_time)":[\d.]+/g,
        '"$1":"<seconds>"',
      );
    return { ...one, path: number(one.path), body: number(one.body), answer };
  });
}

const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
const exchanges = [
  ...readExchanges(await read("probe3.txt")),
  ...readExchanges(await read("probe3b.txt")),
  FLOW,
  ...scheduled(await read("probe4_3.txt")),
];
const lines = marked(exchanges).map(({ method, path, body, status, answer, kept }) =>
  [method, path, body, status, answer, kept].join("\t").trimEnd()
);
await Deno.writeTextFile(target, `${lines.join("\n")}\n`);
