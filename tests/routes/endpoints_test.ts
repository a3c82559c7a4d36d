/** What holds for every endpoint: statuses, unknown keys, missing bodies, odd values. */
import { assert, assertEquals } from "@std/assert";
import { type Example, examplesIn, filled } from "./examples.ts";
import { StartedApp } from "./started_app.ts";

const NOBODY = "01a20d10-0000-7000-8000-000000000000";

const titleOf = ({ method, path }: Pick<Example, "method" | "path">) => `${method} ${path}`;

/** Bodies made of several optional parts: they may be left out, and unknown keys are ignored. */
const isMultiPart = ({ path }: Example) =>
  /\/(filter|count|history|lateness|paginate|get_scheduled_flow_runs|get_runs|set_state|schedule|concurrency_status|workers\/heartbeat|bulk_delete|bulk_set_state|resume|input|increment-with-lease)$/
    .test(path);

/** An object of which every key is the caller's. */
const isFree = ({ path }: Example) => /\/labels$/.test(path);

Deno.test("every endpoint answers a request with every field", async (t) => {
  await using app = await StartedApp.start();
  const examples = await examplesIn(app);
  assertEquals(examples.map(titleOf).sort(), app.endpoints.map(titleOf).sort());
  for (const example of examples) {
    await t.step(titleOf(example), async () => {
      const path = `${filled(example)}${example.query}`;
      const { status, text } = await app.request(example.method, path, example.body);
      assertEquals(status, example.status, text);
      if (status === 204) assertEquals(text, "");
    });
  }
});

Deno.test("what a path names and is not there is 404, also when the id is no UUID or the name very long", async () => {
  await using app = await StartedApp.start();
  for (const example of await examplesIn(app)) {
    const { method, body, params } = example;
    for (const name of Object.keys(params)) {
      for (const value of name === "id" ? [NOBODY, "nonsense"] : ["nobody", "n".repeat(3_000), "ä/ö %"]) {
        const path = filled({ ...example, params: { ...params, [name]: value } });
        const answer = await app.request(method, path, body);
        // A list within something that is not there is empty, as in the reference.
        if (/input\/filter$/.test(path) && value === NOBODY) assertEquals(answer.body, []);
        // Nothing has automations, whatever it is.
        else if (/^\/automations\//.test(path)) assertEquals(answer.status, example.status);
        else assertEquals(answer.status, 404, `${method} ${path}: ${answer.text}`);
        if (value === "nonsense") assertEquals(answer.body, { detail: "Not Found" });
      }
    }
  }
});

Deno.test("both slash forms of a path answer alike, and a method that it has not is 405", async () => {
  await using app = await StartedApp.start();
  for (const example of await examplesIn(app)) {
    const path = filled(example);
    for (const form of [path, `${path}/`].map((form) => `${form}${example.query}`)) {
      const refused = await app.request("OPTIONS", form, example.body);
      assertEquals([refused.status, refused.body], [405, { detail: "Method Not Allowed" }], form);
      if (example.method !== "GET") continue;
      assertEquals((await app.request("GET", form)).status, example.status, form);
    }
  }
  for (const path of ["/flows/filter", "/deployments/filter", "/flow_runs/count", "/work_queues/filter"]) {
    const refused = await app.request("GET", path);
    assertEquals([refused.status, refused.headers.get("allow")], [405, "POST"], path);
  }
  for (const path of ["", "/", "/nope", "/flows/filter/more"]) {
    assertEquals((await app.request("GET", path)).body, { detail: "Not Found" }, path);
  }
});

Deno.test("unknown keys beside a body's parts are ignored, within an object they are refused", async () => {
  await using app = await StartedApp.start();
  for (const example of await examplesIn(app)) {
    const { method, body } = example;
    if (typeof body !== "object" || Array.isArray(body) || isFree(example)) continue;
    const { status, text } = await app.request(method, filled(example), { ...body, zzz: 1 });
    assertEquals(status, isMultiPart(example) ? example.status : 422, `${titleOf(example)}: ${text}`);
    if (status === 422) {
      assertEquals(JSON.parse(text).exception_detail, [
        { type: "extra_forbidden", loc: ["body", "zzz"], msg: "Extra inputs are not permitted", input: 1 },
      ]);
    }
  }
});

Deno.test("a body that is required and missing is said so; null is no body", async () => {
  await using app = await StartedApp.start();
  const refused: string[] = [];
  for (const example of (await examplesIn(app)).filter(({ body }) => body !== undefined)) {
    for (const body of ["", " \n", "null"]) {
      const { status, text } = await app.request(example.method, filled(example), body);
      if (status < 400) continue;
      assertEquals(status, 422, titleOf(example));
      assertEquals(
        text,
        '{"exception_message":"Invalid request received.","exception_detail":[{"type":"missing","loc":["body"],' +
          '"msg":"Field required","input":null}],"request_body":null}',
      );
      if (body === "null") refused.push(titleOf(example));
    }
  }
  assertEquals(refused.sort(), [
    "PATCH /deployments/:id",
    "PATCH /deployments/:id/schedules/:schedule",
    "PATCH /flow_runs/:id",
    "PATCH /flows/:id",
    "PATCH /variables/:id",
    "PATCH /variables/name/:name",
    "PATCH /work_pools/:name",
    "PATCH /work_pools/:pool/queues/:name",
    "PATCH /work_queues/:id",
    "POST /agents",
    "POST /agents/:id/heartbeat",
    "POST /deployments",
    "POST /deployments/:id/create_flow_run",
    "POST /deployments/:id/create_flow_run/bulk",
    "POST /deployments/:id/schedules",
    "POST /deployments/get_scheduled_flow_runs",
    "POST /flow_runs",
    "POST /flow_runs/:id/input",
    "POST /flow_runs/:id/input/filter",
    "POST /flow_runs/:id/set_state",
    "POST /flow_runs/bulk_set_state",
    "POST /flow_runs/history",
    "POST /flows",
    "POST /logs",
    "POST /v2/concurrency_limits/increment-with-lease",
    "POST /variables",
    "POST /work_pools",
    "POST /work_pools/:name/claim",
    "POST /work_pools/:pool/queues",
    "POST /work_pools/:pool/workers/heartbeat",
    "POST /work_queues",
    "PUT /admin/storage",
  ]);
});

/** JSON texts that are something else than what a field is made for. */
const ODD = [
  "null",
  "true",
  "5.0",
  "-1",
  "1e400",
  `"${"x".repeat(3_000)}"`,
  '"\\u0000"',
  "[]",
  '{"__proto__":{"a":1}}',
  '"9999-12-31T23:59:59Z"',
];

function* placesIn(value: unknown, at: (string | number)[] = []): Generator<(string | number)[]> {
  yield at;
  if (typeof value !== "object" || value === null) return;
  const isList = Array.isArray(value);
  for (const [key, inner] of Object.entries(value)) {
    yield* placesIn(inner, [...at, isList ? Number(key) : key]);
  }
}

/** `value` as JSON, with `text` at one place. */
function withText(value: unknown, at: readonly (string | number)[], text: string): string {
  let depth = 0;
  const put = (inner: unknown): unknown => {
    if (depth === at.length) return "\uFFFC";
    const key = at[depth++]!;
    const copy: object = Array.isArray(inner) ? [...inner] : { ...inner as object };
    Reflect.set(copy, key, put(Reflect.get(copy, key)));
    return copy;
  };
  return JSON.stringify(put(value)).replace('"\uFFFC"', () => text);
}

Deno.test("no odd value at any place of any body makes a 500, nor one of what is read afterwards", async () => {
  await using app = await StartedApp.start();
  const lists = [
    "/flows",
    "/work_pools",
    "/work_queues",
    "/deployments",
    "/flow_runs",
    "/logs",
    "/variables",
  ];
  let asked = 0;
  for (const example of await examplesIn(app)) {
    if (example.body === undefined) continue;
    for (const place of placesIn(example.body)) {
      for (const odd of ODD) {
        const body = withText(example.body, place, odd);
        const { status, text } = await app.request(example.method, filled(example), body);
        const title = `${titleOf(example)} ${place.join(".")} = ${odd.slice(0, 30)}: ${text.slice(0, 200)}`;
        assert(status < 500, title);
        assert(!text.includes("rawJSON"), title);
        asked++;
      }
    }
    for (const list of lists) assertEquals((await app.request("POST", `${list}/filter`)).status, 200, list);
  }
  assert(asked > 3_000, `only ${asked} requests`);
});
