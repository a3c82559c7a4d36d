import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { ok } from "../../src/routes/endpoint.ts";
import { buildOpenApi } from "../../src/routes/openapi.ts";
import type { Content, OpenApi, Operation, Response, Schema } from "../../src/schemas/openapi.ts";
import { examplesIn, filled } from "./examples.ts";
import { StartedApp } from "./started_app.ts";

const keyOf = (method: string, path: string) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, "{$1}")}`;

function operationsOf(document: OpenApi): Map<string, Operation> {
  return new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [keyOf(method, path), operation] as const)
    ),
  );
}

/** Every object in `value`, with its place. */
function* objectsIn(value: unknown, at = "#"): Generator<[at: string, found: Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  yield [at, value as Record<string, unknown>];
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${at}/${key}`);
}

const resolved = (document: OpenApi, ref: string): unknown =>
  ref.slice(2).split("/").reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);

const responseOf = (document: OpenApi, response: Response) =>
  ("$ref" in response ? resolved(document, response.$ref) : response) as { content?: Content };

async function described(app: StartedApp): Promise<OpenApi> {
  const { status, text } = await app.request("GET", "/openapi.json");
  assertEquals(status, 200, text);
  return JSON.parse(text) as OpenApi;
}

Deno.test("the description has every endpoint, each with an id of its own, and all references lead somewhere", async () => {
  await using app = await StartedApp.start();
  const document = await described(app);
  assertEquals([document.openapi, document.servers], ["3.1.1", [{ url: "/api" }]]);
  const operations = operationsOf(document);
  assertEquals([...operations.keys()].sort(), app.endpoints.map((one) => keyOf(one.method, one.path)).sort());
  const ids = [...operations.values()].map(({ operationId }) => operationId);
  assertEquals(new Set(ids).size, ids.length);
  for (const id of ids) assert(/^[a-z][a-z0-9_]+$/.test(id), id);
  for (const [at, { $ref }] of objectsIn(document)) {
    if (typeof $ref === "string") assert(resolved(document, $ref) !== undefined, `${at}: ${$ref}`);
  }
});

Deno.test("every operation says what it answers, what its path is made of, and what it is filed under", async () => {
  await using app = await StartedApp.start();
  const document = await described(app);
  const tags = document.tags.map(({ name }) => name);
  for (const [title, { responses, parameters = [], tags: [tag = ""], summary }] of operationsOf(document)) {
    assert(summary !== "" && tags.includes(tag), title);
    const answered = Object.keys(responses).filter((status) => status < "300");
    assert(answered.length > 0 || title === "GET /csrf-token", `${title} answers nothing`);
    for (const [status, response] of Object.entries(responses)) {
      const isEmpty = responseOf(document, response).content === undefined;
      assertEquals(isEmpty, status === "204", `${title}: ${status}`);
    }
    const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => name);
    assertEquals(inPath, [...title.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!), title);
    for (const { name, schema } of parameters) {
      if (name === "id") assertEquals(schema, { type: "string", format: "uuid" }, title);
    }
  }
});

/** Fields of bodies that take any JSON. */
const ANY_JSON = [
  "agent_id",
  "anchor_date",
  "data",
  "id",
  "schedule",
  "task_runs",
  "timestamp",
  "value",
  "version_info",
];

Deno.test("every field of a body that is no opaque JSON has a type", async () => {
  await using app = await StartedApp.start();
  const document = await described(app);
  const untyped = new Set<string>();
  const visit = (schema: Schema, field: string): void => {
    const { $ref, anyOf, properties = {}, items, ...own } = schema;
    if (Object.keys(schema).length === 0) untyped.add(field);
    if ($ref) visit(resolved(document, $ref) as Schema, field);
    assert(!("whenAbsent" in own), field);
    anyOf?.forEach((one) => visit(one, field));
    if (items) visit(items, `${field}[]`);
    for (const [name, inner] of Object.entries(properties)) visit(inner, name);
  };
  for (const [title, { requestBody }] of operationsOf(document)) {
    if (requestBody) visit(requestBody.content["application/json"]!.schema, title);
  }
  assertEquals([...untyped].filter((field) => !ANY_JSON.includes(field)), []);
});

Deno.test("what was meant by the lax primitives is said", async () => {
  await using app = await StartedApp.start();
  const { schemas } = (await described(app)).components;
  const orNull = (schema: Schema) => ({ anyOf: [schema, { type: "null" }] });
  const pool = schemas["WorkPoolCreate"]?.properties;
  assertEquals(pool?.["concurrency_limit"], orNull({ type: "integer", minimum: 0 }));
  assertEquals(pool?.["base_job_template"], {
    ...orNull({ type: "object", additionalProperties: {} }),
    default: {},
  });
  assertEquals(pool?.["is_paused"], { type: ["boolean", "null"], default: false });
  const log = schemas["LogCreate"]?.properties;
  assertEquals(log?.["timestamp"], { type: ["string", "number"], format: "date-time" });
  assertEquals(log?.["flow_run_id"], orNull({ type: "string", format: "uuid" }));
  assertEquals(schemas["Log"]?.properties?.["timestamp"], { type: "string", format: "date-time" });
  assertEquals(schemas["FlowCreate"]?.properties?.["name"], { type: "string", pattern: "^[^/%&><]+$" });
});

Deno.test("the answers are what the endpoints declare, with nothing undeclared", async () => {
  await using app = await StartedApp.start();
  for (const example of await examplesIn(app)) {
    const title = `${example.method} ${example.path}`;
    const { status, body, text, headers } = await app.request(
      example.method,
      `${filled(example)}${example.query}`,
      example.body,
    );
    const endpoint = app.endpoints.find(({ method, path }) => `${method} ${path}` === title);
    const shape = endpoint?.answers?.[status as 200];
    assert(shape !== undefined, `${title} does not declare ${status}`);
    if (shape === null) assertEquals(text, "", title);
    else if (typeof shape === "string") assert(headers.get("content-type")?.startsWith(shape), title);
    // Keys that a schema does not name are dropped when it parses.
    else assertEquals(shape.parse(body), body, title);
  }
});

Deno.test("buildOpenApi() describes a query, and refuses endpoints that do not say what they answer", () => {
  const spec = { method: "GET" as const, path: "/things/:id/parts", summary: "s", handle: () => ok(null) };
  const query = z.object({ q: z.string(), limit: z.string().optional() });
  const { paths, tags } = buildOpenApi([{ ...spec, query, answers: { 200: z.null() } }]);
  assertEquals(tags, [{ name: "things" }]);
  assertEquals(paths["/things/{id}/parts"]?.["get"]?.parameters, [
    { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } },
    { name: "q", in: "query", required: true, schema: { type: "string" } },
    { name: "limit", in: "query", required: false, schema: { type: "string" } },
  ]);
  let refusal = "";
  try {
    buildOpenApi([spec]);
  } catch (error) {
    refusal = String(error);
  }
  assertEquals(refusal, "Error: GET /things/:id/parts does not say what it answers.");
});

Deno.test("buildOpenApi() refuses an id that stands for two shapes", () => {
  const twice = [z.object({ a: z.string() }), z.object({ b: z.string() })].map((shape, i) => ({
    method: "GET" as const,
    path: `/${i}`,
    summary: "s",
    answers: { 200: shape.meta({ id: "Twice" }) },
    handle: () => ok(null),
  }));
  let refusal = "";
  try {
    buildOpenApi(twice);
  } catch (error) {
    refusal = String(error);
  }
  assert(refusal.includes("Twice"), refusal);
});
