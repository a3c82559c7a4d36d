/**
 * An endpoint is data: method, path, what its body and query are made of, what it answers, and what to do. From one
 * declaration come the route, the check of its input, and the API's description.
 */
import type { Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { CLAIM_TOKEN_HEADER } from "../schemas/agent.ts";
import { parseLossless } from "../schemas/lossless_json.ts";
import { DomainError } from "../errors.ts";
import type { Log } from "../runtime/log.ts";
import { refusalOf } from "./errors.ts";
import {
  type Detail,
  invalidJson,
  limitRefusal,
  MISSING_BODY,
  toDetails,
  toQueryDetails,
  validationEnvelope,
} from "./validation_error.ts";

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** What a handler gets. */
export interface Call<B, Q = undefined> {
  body: B;
  query: Q;
  /** A part of the path, decoded. */
  param(name: string): string;
  header(name: string): string | undefined;
  /** The claim token that came with the request, in the header or in the URL. */
  token: string | undefined;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
}

/** What a handler answers; without a body: nothing is sent. */
export interface Answer {
  status: Status;
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  content?: { type: string; body: string | ReadableStream<Uint8Array> };
  headers?: Record<string, string>;
}

export type Status = 200 | 201 | 202 | 204 | 422 | 503;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent = (): Answer => ({ status: 204 });
/** 201 for what was made now, 200 for what was there. */
export const createdOrFound = (isNew: boolean, body: unknown): Answer => isNew ? created(body) : ok(body);

export interface Endpoint {
  method: Method;
  /** Below `/api`, without a slash at the end: both forms are served. `:id` has to be a UUID. */
  path: string;
  summary: string;
  body?: z.ZodType;
  /** The part behind `?`; every value arrives as text. */
  query?: z.ZodType;
  /** What it answers when all is well: the shape for each status, null for no body, a media type for what is no JSON. */
  answers?: Partial<Record<Status, z.ZodType | null | `${string}/${string}`>>;
  handle(call: Call<unknown, unknown>): Promise<Answer> | Answer;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Declares an endpoint; its handler gets what the schemas of `spec` give. */
export function endpoint<
  const B extends z.ZodType | undefined = undefined,
  const Q extends z.ZodType | undefined = undefined,
>(
  spec: Omit<Endpoint, "handle" | "body" | "query"> & { body?: B; query?: Q },
  handle: (call: Call<Output<B>, Output<Q>>) => Promise<Answer> | Answer,
): Endpoint {
  return { ...spec, handle } as Endpoint;
}

/** A request whose input does not fit; answered by {@link mount}. */
class InvalidInput extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super("invalid input");
    this.response = response;
  }
}

const UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";

/** Only a UUID matches `:id`, so `GET /flows/filter` is the known path with a wrong method, as in the reference. */
const toRoute = (path: string): string => path.replace(/:id\b/, `:id{${UUID}}`);

/** Adds the endpoints to `app`; a known path with another method is answered 405. */
export function mount(app: Hono, endpoints: readonly Endpoint[], log: Log): void {
  for (const one of endpoints) app.on(one.method, toRoute(one.path), (c) => serve(one, c, log));
  for (const [path, methods] of methodsByPath(endpoints)) {
    app.all(
      toRoute(path),
      (c) => c.json({ detail: "Method Not Allowed" }, 405, { allow: methods.join(", ") }),
    );
  }
}

function methodsByPath(endpoints: readonly Endpoint[]): Map<string, Method[]> {
  const found = new Map<string, Method[]>();
  for (const { path, method } of endpoints) found.set(path, [...found.get(path) ?? [], method]);
  return found;
}

async function serve(one: Endpoint, c: Context, log: Log): Promise<Response> {
  const { signal } = c.req.raw;
  let raw: unknown;
  try {
    const params = readParams(one.path, c);
    const query = one.query ? parseQuery(one.query, c) : undefined;
    const body = one.body ? parseBody(one.body, raw = await readJson(c), c) : undefined;
    const answer = await handled(one, {
      body,
      query,
      param: (name) => params[name] ?? "",
      header: (name) => c.req.header(name),
      token: c.req.header(CLAIM_TOKEN_HEADER) ?? c.req.param("token"),
      signal,
    });
    return toResponse(answer, c);
  } catch (error) {
    return error instanceof InvalidInput ? error.response : refusalOf(error, c, { log, body: raw });
  }
}

const READING = /\/(filter|count|history|paginate|lateness|get_runs|get_scheduled_flow_runs)$/;

/** Whether the endpoint changes nothing. */
export const isReading = ({ method, path }: Pick<Endpoint, "method" | "path">): boolean =>
  method === "GET" || (method === "POST" && READING.test(path));

/** How often what was replaced while it was read is read. */
const READ_ATTEMPTS = 5;

/** The endpoint's answer. Who only reads need not know that somebody wrote at the same time. */
async function handled(one: Endpoint, call: Call<unknown, unknown>): Promise<Answer> {
  for (let attempt = 1;; attempt++) {
    try {
      return await one.handle(call);
    } catch (error) {
      const isReplaced = error instanceof DomainError && error.code === "contention";
      if (!isReplaced || !isReading(one) || attempt === READ_ATTEMPTS) throw error;
    }
  }
}

function toResponse({ status, body, content, headers }: Answer, c: Context): Response {
  if (status === 204) return c.body(null, 204, headers);
  if (content) return c.body(content.body, status, { ...headers, "content-type": content.type });
  return c.json(body ?? null, status, headers);
}

function readParams(path: string, c: Context): Record<string, string> {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  const params = Object.fromEntries(names.map((name) => [name, c.req.param(name) ?? ""]));
  if (params["id"] !== undefined) params["id"] = params["id"].toLowerCase();
  return params;
}

/** Undefined for an empty body. The Content-Type does not matter: some clients send none. */
async function readJson(c: Context): Promise<unknown> {
  const bytes = await c.req.arrayBuffer().catch((cause: unknown) => {
    throw new HTTPException(400, { message: "The body ended early.", cause });
  });
  let text: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.trim() === "" ? undefined : parseLossless(text);
  } catch (error) {
    const reason = text === undefined ? new SyntaxError("the body is no UTF-8") : error;
    throw new InvalidInput(c.json(validationEnvelope([invalidJson(reason)], text), 422));
  }
}

function parseQuery(schema: z.ZodType, c: Context): unknown {
  const given = c.req.query();
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(c.json(validationEnvelope(toQueryDetails(parsed.error.issues, given), null), 422));
}

/** A body made of several optional parts may be left out; one that is a model may not, even when all of it is optional. */
const isModel = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever;

function parseBody(schema: z.ZodType, value: unknown, c: Context): unknown {
  const isMissing = value === undefined || value === null;
  const refuse = (details: Detail[]) => new InvalidInput(c.json(validationEnvelope(details, value), 422));
  if (isMissing && isModel(schema)) throw refuse([MISSING_BODY]);
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  if (isMissing) throw refuse([MISSING_BODY]);
  const limit = limitRefusal(parsed.error.issues);
  if (limit) throw new InvalidInput(c.json({ detail: limit }, 422));
  throw refuse(toDetails(parsed.error.issues, value));
}
