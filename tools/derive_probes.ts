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

const ROUTES = [
  /^\/(nope|version|ready|health|csrf-token|admin\/version)\/?$/,
  /^\/(flows|deployments|flow_runs)(\/|$)/,
  /^\/work_pools(\/?|\/filter|\/[^/]+|\/[^/]+\/(get_scheduled_flow_runs|queues(\/[^/]+)?))$/,
  /^\/work_queues(\/?|\/name\/.*|\/[0-9a-f-]{36}(\/get_runs)?)$/,
];
/** What a later release has: schedules and what they make, checks of parameters, counts of pools, resuming. */
const LATER =
  /\/schedules?[/ ]|\/(pause|resume)_deployment|\/resume |deployments\/get_scheduled|\/count |flow_runs\/filter/;
const LATER_ANSWER = /Validation failed|validate_timezone/;

/** The recorder cut longer ones. */
const LONGEST_BODY = 400;

/** Queues and pools as the recorder printed them between two requests. */
const QUEUES = /^ {3}queues: \[(.*)\]$/;
const QUEUE = /\('([^']+)', (\d+), '[A-Z_]+', (True|False)\)/g;
const POOL = /^ {3}pool: [A-Z_]+ (True|False)$/;

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
  const isOurs = ROUTES.some((route) => route.test(path)) && !LATER.test(`${path} `);
  if (!isOurs || LATER_ANSWER.test(answer) || body.length >= LONGEST_BODY) return undefined;
  return { method, path, body, status, ...whole(answer) };
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

const recorded = await Promise.all(
  ["probe3.txt", "probe3b.txt"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
);
const lines = marked(recorded.flatMap(readExchanges)).map(({ method, path, body, status, answer, kept }) =>
  [method, path, body, status, answer, kept].join("\t").trimEnd()
);
await Deno.writeTextFile(target, `${lines.join("\n")}\n`);
