import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { StartedApp } from "./started_app.ts";

const TIME = "2026-11-23T12:00:00.25Z";
const NOBODY = "01a20d10-0000-7000-8000-000000000000";
const line = (message: string, changes: object = {}) => ({
  name: "n",
  level: 20,
  message,
  timestamp: TIME,
  ...changes,
});

async function flowRun(app: StartedApp, name: string): Promise<string> {
  const flow = await app.api.flows.create({ name: "f" });
  const { body } = await app.request("POST", "/flow_runs/", { flow_id: flow.id, name });
  return (body as { id: string }).id;
}

Deno.test("POST /logs/ takes a bare array and answers null", async () => {
  await using app = await StartedApp.start();
  for (const body of [[], [line("a")], [line("b", { flow_run_id: NOBODY, task_run_id: NOBODY })]]) {
    const { status, text } = await app.request("POST", "/logs/", body);
    assertEquals([status, text], [201, "null"]);
  }
});

Deno.test("POST /logs/ says which element is wrong, and stores none of its batch", async () => {
  await using app = await StartedApp.start();
  const { name: _, ...nameless } = line("c");
  const batch = [
    line("a"),
    line("b", { level: "x", extra: 1 }),
    nameless,
    line("d", { timestamp: "soon" }),
    5,
  ];
  const { status, body } = await app.request("POST", "/logs/", batch);
  assertEquals(status, 422);
  const details = (body as { exception_detail: { loc: unknown; type: string }[] }).exception_detail;
  const expected = [
    [["body", 1, "level"], "int_parsing"],
    [["body", 1, "extra"], "extra_forbidden"],
    [["body", 2, "name"], "missing"],
    [["body", 3, "timestamp"], "datetime_from_date_parsing"],
  ];
  assertEquals(details.slice(0, 4).map(({ loc, type }) => [loc, type]), expected);
  assertEquals(details.slice(4).every(({ loc }) => (loc as unknown[])[1] === 4), true);
  assertEquals((await app.request("POST", "/logs/", {})).status, 422);
  assertEquals((await app.request("POST", "/logs/filter", {})).body, []);
});

Deno.test("POST /logs/ takes a line of a megabyte, and four megabytes at once", async () => {
  await using app = await StartedApp.start({ maxBodyBytes: 8_388_608 });
  const run = await flowRun(app, "r");
  const large = "é".repeat(500_000);
  const batch = [line(large), ...Array.from({ length: 30 }, (_, i) => line(`${i} ${"x".repeat(95_000)}`))];
  assertEquals(
    (await app.request("POST", "/logs/", batch.map((one) => ({ ...one, flow_run_id: run })))).status,
    201,
  );
  const got = await app.api.logs.list({ logs: { flow_run_id: { any_: [run] } } });
  assertEquals(got.length, 31);
  assert(got[0]!.message === large);
});

Deno.test("POST /logs/filter searches texts of up to 200 characters", async () => {
  await using app = await StartedApp.start();
  await app.request("POST", "/logs/", [
    line("Connection refused"),
    line("all well"),
    line("connection made"),
  ]);
  const found = async (query: string) =>
    (await app.api.logs.list({ logs: { text: { query } } })).map(({ message }) => message);
  assertEquals(await found("CONNECTION"), ["Connection refused", "connection made"]);
  assertEquals(await found("connection -refused"), ["connection made"]);
  assertEquals((await found("n".repeat(200))).length, 0);
  const { status, body } = await app.request("POST", "/logs/filter", {
    logs: { text: { query: "n".repeat(201) } },
  });
  assertEquals(status, 422);
  assertStringIncludes(JSON.stringify(body), "String should have at most 200 characters");
});

Deno.test("GET /flow_runs/{id}/logs/download is a table of all lines, in a file with the run's name", async () => {
  await using app = await StartedApp.start();
  const run = await flowRun(app, `日本 "q"/r`);
  const many = Array.from({ length: 1_200 }, (_, i) => line(`line ${i}`, { flow_run_id: run }));
  const odd = [`a,b`, `say "hi"`, "two\nlines", "", "日本"].map((message) =>
    line(message, { flow_run_id: run, task_run_id: NOBODY, level: 40, timestamp: "2026-11-23T12:00:01Z" })
  );
  await app.request("POST", "/logs/", [...many, ...odd]);
  const { status, text, headers } = await app.request("GET", `/flow_runs/${run}/logs/download`);
  assertEquals(status, 200);
  const rows = text.split("\r\n");
  assertEquals(rows[0], "timestamp,level,flow_run_id,task_run_id,message");
  assertEquals(rows[1], `2026-11-23T12:00:00.250000Z,20,${run},,line 0`);
  const start = `2026-11-23T12:00:01Z,40,${run},${NOBODY},`;
  const last = [`"a,b"`, `"say ""hi"""`, `"two\nlines"`, "", "日本"].map((cell) => start + cell);
  assertEquals(rows.slice(1_201), [...last, ""]);
  assertStringIncludes(headers.get("content-type") ?? "", "text/csv");
  assertEquals(
    headers.get("content-disposition"),
    `attachment; filename="__ _q__r-logs.csv"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%20%22q%22%2Fr-logs.csv`,
  );
});

Deno.test("GET /flow_runs/{id}/logs/download of a run without lines is the head alone, and 404 of no run", async () => {
  await using app = await StartedApp.start();
  const run = await flowRun(app, "r");
  const { text } = await app.request("GET", `/flow_runs/${run}/logs/download`);
  assertEquals(text, "timestamp,level,flow_run_id,task_run_id,message\r\n");
  const { status, body } = await app.request("GET", `/flow_runs/${NOBODY}/logs/download`);
  assertEquals([status, body], [404, { detail: "Flow run not found" }]);
});
