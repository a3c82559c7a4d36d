/** The API's description in OpenAPI 3.1, made from the endpoints: nothing in it is written a second time. */
import { z } from "zod";
import { CLAIM_TOKEN_HEADER } from "../schemas/agent.ts";
import type { OpenApi, Operation, Parameter, Response, Schema } from "../schemas/openapi.ts";
import { Exception, HTTPValidationError, Refusal } from "../schemas/refusal.ts";
import { VERSION } from "../runtime/version.ts";
import { type Endpoint, endpoint, isReading, ok } from "./endpoint.ts";
import { ComponentSchemas } from "./openapi_schemas.ts";

const DESCRIPTION =
  `Work pools, queues, deployments and runs. Paths, bodies and answers are those of Prefect's API.

Numbers, times and truth are read laxly: \`"5"\` is an integer, \`"yes"\` is true, times may be ISO 8601 or epoch seconds. \
What is null or left out has its default. Every path may end in a slash.

Whoever holds a run proves it with the claim token, in the header \`${CLAIM_TOKEN_HEADER}\` or in the address: \
\`/t/<token>/api\` stands for \`/api\`.`;

/** Parts of the API that belong to no resource. */
const ADMIN_PATHS = new Set(["admin", "csrf-token", "health", "hello", "openapi.json", "ready", "version"]);

const STATUS_WORDS: Record<string, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "Done; no body",
  422: "Refused",
  503: "Not available",
};

/** @throws Error when two different schemas carry the same id, or an endpoint says not what it answers */
export function buildOpenApi(endpoints: readonly Endpoint[]): OpenApi {
  const schemas = new ComponentSchemas();
  const paths: OpenApi["paths"] = {};
  for (const one of endpoints) {
    const path = one.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[one.method.toLowerCase()] = operationOf(one, schemas);
  }
  return {
    openapi: "3.1.1",
    info: { title: "Sluice", version: VERSION, description: DESCRIPTION },
    servers: [{ url: "/api" }],
    tags: [...new Set(endpoints.map(tagOf))].map((name) => ({ name })),
    paths,
    components: { responses: refusals(schemas), schemas: schemas.sorted() },
  };
}

function tagOf({ path }: Endpoint): string {
  const first = path.split("/")[1] ?? "";
  return ADMIN_PATHS.has(first) ? "admin" : first;
}

/** `POST /work_pools/:name/claim` → `post_work_pools_by_name_claim`: as stable as method and path are. */
function operationIdOf({ method, path }: Endpoint): string {
  return `${method.toLowerCase()}${path.replace(/\/:/g, "_by_").replace(/\W+/g, "_")}`;
}

function operationOf(one: Endpoint, schemas: ComponentSchemas): Operation {
  const { body, summary } = one;
  const parameters = [...pathParameters(one), ...queryParameters(one, schemas)];
  return {
    operationId: operationIdOf(one),
    summary,
    tags: [tagOf(one)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: !body.safeParse({}).success,
        content: { "application/json": { schema: schemas.add(body, "input") } },
      },
    }),
    responses: { ...refusalsOf(one), ...answersOf(one, schemas) },
  };
}

function pathParameters({ path }: Endpoint): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "id" ? { type: "string", format: "uuid" } : { type: "string" },
  }));
}

function queryParameters({ query }: Endpoint, schemas: ComponentSchemas): Parameter[] {
  if (!query) return [];
  const { properties = {}, required = [] } = schemas.inline(query, "input");
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function answersOf(
  { method, path, answers = {} }: Endpoint,
  schemas: ComponentSchemas,
): Record<string, Response> {
  if (Object.keys(answers).length === 0) throw new Error(`${method} ${path} does not say what it answers.`);
  return Object.fromEntries(
    Object.entries(answers).map(([status, shape]): [string, Response] => {
      const description = STATUS_WORDS[status] ?? status;
      if (shape === null) return [status, { description }];
      const content = typeof shape === "string"
        ? { [shape]: { schema: { type: "string" } } }
        : { "application/json": { schema: schemas.add(shape, "output") } };
      return [status, { description, content }];
    }),
  );
}

/** Which refusals to expect. A server that has no time or a store that does not answer refuses any request. */
function refusalsOf(one: Endpoint): Record<string, Response> {
  const { path, body, query } = one;
  const writes = !isReading(one);
  return {
    ...(writes || path.includes(":") ? { 404: { $ref: "#/components/responses/NotFound" } } : {}),
    ...(writes ? { 409: { $ref: "#/components/responses/Conflict" } } : {}),
    ...(body || query ? { 422: { $ref: "#/components/responses/Invalid" } } : {}),
    ...(writes ? { 503: { $ref: "#/components/responses/TryAgain" } } : {}),
  };
}

function refusals(schemas: ComponentSchemas): Record<string, Response> {
  const json = (schema: Schema) => ({ "application/json": { schema } });
  const refusal = schemas.add(Refusal, "output");
  const exception = schemas.add(Exception, "output");
  return {
    NotFound: {
      description: "What the path or the body names is not there",
      content: json({ anyOf: [refusal, exception] }),
    },
    Conflict: {
      description: "A name is taken, the object is in use, or the claim token is not current",
      content: json(refusal),
    },
    Invalid: {
      description: "The request is not well-formed, or what it asks for is not allowed",
      content: json({ anyOf: [schemas.add(HTTPValidationError, "output"), refusal] }),
    },
    TryAgain: {
      description: "The store did not decide in time: send the request again after `Retry-After` seconds",
      content: json(exception),
    },
  };
}

/** `GET /openapi.json`, built when it is first asked for. */
export function openApiEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  let document: OpenApi | undefined;
  return endpoint({
    method: "GET",
    path: "/openapi.json",
    summary: "This description",
    answers: { 200: z.record(z.string(), z.unknown()) },
  }, () => ok(document ??= buildOpenApi(endpoints)));
}
