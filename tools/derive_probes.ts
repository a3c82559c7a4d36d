/**
 * Derives tests/data/prefect_probes.txt from recorded exchanges with a real server of the reference: those whose route
 * Sluice has, in their order, a tab-separated line each: method, path, body, status, answer (as recorded; long answers
 * were cut by the recorder).
 *
 *     deno run --allow-read --allow-write tools/derive_probes.ts FOLDER tests/data/prefect_probes.txt
 */
const [folder, target] = Deno.args;
if (folder === undefined || target === undefined) throw new Error("usage: derive_probes.ts FOLDER TARGET");

const ROUTES = [
  /^\/(nope|hello|version|ready|health|csrf-token|admin\/version)$/,
  /^\/flows(\/|$)/,
  /^\/work_pools\/?$/,
  /^\/work_pools\/filter$/,
  /^\/work_pools\/[^/]+$/,
  /^\/work_pools\/[^/]+\/(get_scheduled_flow_runs|queues(\/[^/]+)?)$/,
  /^\/work_queues(\/?|\/name\/.*|\/[0-9a-f-]{36}(\/get_runs)?)$/,
  /^\/deployments\/?$/,
  /^\/deployments\/(name\/.*|[0-9a-f-]{36}(\/create_flow_run)?)$/,
  /^\/flow_runs\/?$/,
  /^\/flow_runs\/[0-9a-f-]{36}(\/set_state)?$/,
];
/** Requests that need what a later release has. */
const LATER = /schedules|parameter_openapi_schema|infrastructure_document_id|\/work_pools\/count|"n": "/;

const lines: string[] = [];
for (const name of ["probe3.txt", "probe3b.txt"]) {
  const recorded = (await Deno.readTextFile(`${folder}/${name}`)).split("\n");
  for (const [i, line] of recorded.entries()) {
    const request = /^(GET|POST|PUT|PATCH|DELETE) (\/\S*) ?(.*)$/.exec(line);
    const answer = /^ {3}-> (\d{3}) (?:ct=\S+ ?)?(.*)$/.exec(recorded[i + 1] ?? "");
    if (!request || !answer) continue;
    const [, method, path, body] = request;
    if (!ROUTES.some((route) => route.test(path!)) || LATER.test(line)) continue;
    lines.push([method, path, body, answer[1], answer[2]].join("\t"));
  }
}
await Deno.writeTextFile(target, `${lines.join("\n")}\n`);
