import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { DomainError, type ErrorCode } from "../../src/errors.ts";
import { endpoint, mount, ok } from "../../src/routes/endpoint.ts";
import { refusalOf } from "../../src/routes/errors.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { StartedApp } from "./started_app.ts";

async function refused(
  error: Error,
  log = silentLog,
  path = "/",
): Promise<{ response: Response; text: string }> {
  const app = new Hono();
  app.get(path, (c) => refusalOf(error, c, { log, body: { name: "x" } }));
  const response = await app.request(path);
  return { response, text: await response.text() };
}

Deno.test("refusalOf() gives each code its status and body", async () => {
  const detail = '{"detail":"words"}';
  const busy = '{"exception_message":"Service Unavailable","detail":"words"}';
  const expected: Record<ErrorCode, [status: number, text: string]> = {
    not_found: [404, detail],
    missing_object: [404, '{"exception_message":"words"}'],
    conflict: [409, detail],
    forbidden: [403, detail],
    invalid: [422, detail],
    bad_request: [400, detail],
    stale_token: [409, detail],
    too_large: [422, detail],
    busy: [429, detail],
    contention: [503, busy],
    unknown_outcome: [503, busy],
  };
  for (const [code, [status, text]] of Object.entries(expected)) {
    const answer = await refused(new DomainError(code as ErrorCode, "words"));
    assertEquals([answer.response.status, answer.text], [status, text], code);
    assertEquals(answer.response.headers.get("retry-after"), [429, 503].includes(status) ? "1" : null, code);
  }
});

Deno.test("refusalOf() words a refusal of a field as a validation error", async () => {
  const { response, text } = await refused(new DomainError("invalid", "words", { field: ["name"] }));
  assertEquals([response.status, JSON.parse(text)], [422, {
    exception_message: "Invalid request received.",
    exception_detail: [
      {
        type: "value_error",
        loc: ["body", "name"],
        msg: "Value error, words",
        input: "x",
        ctx: { error: {} },
      },
    ],
    request_body: { name: "x" },
  }]);
});

Deno.test("refusalOf() says that a body which the runtime cannot read is the client's fault", async () => {
  const { response } = await refused(new Deno.errors.Http("error reading a body from connection"));
  assertEquals(response.status, 400);
});

Deno.test("refusalOf() keeps the status of the framework's own exceptions", async () => {
  const { response, text } = await refused(new HTTPException(415, { message: "words" }));
  assertEquals([response.status, text], [415, '{"detail":"words"}']);
});

Deno.test("refusalOf() logs what it did not expect, and tells the client nothing of it", async () => {
  const logged: unknown[] = [];
  const log = { ...silentLog, error: (...args: unknown[]) => void logged.push(args) };
  const error = new TypeError("inner words");
  const { response, text } = await refused(error, log);
  assertEquals([response.status, text], [500, '{"exception_message":"Internal Server Error"}']);
  assertEquals(logged, [["A request failed.", { method: "GET", path: "/", error }]]);
});

Deno.test("refusalOf() keeps the claim token of a URL out of the log", async () => {
  const logged: unknown[] = [];
  const log = { ...silentLog, error: (...args: unknown[]) => void logged.push(args) };
  await refused(new Error("words"), log, "/t/secret/api/flow_runs/1/set_state");
  assertEquals(JSON.stringify(logged).includes("secret"), false);
  assertEquals(JSON.stringify(logged).includes("/t/…/api/flow_runs/1/set_state"), true);
});

Deno.test("refusalOf() logs why a client has to try again", async () => {
  const logged: unknown[] = [];
  const log = { ...silentLog, warn: (...args: unknown[]) => void logged.push(args) };
  const cause = new TypeError("the connection was lost");
  await refused(new DomainError("unknown_outcome", "words", { cause }), log);
  await refused(new DomainError("contention", "nothing to add"), log);
  await refused(new DomainError("invalid", "words", { cause }), log);
  assertEquals(logged, [["A request has to be sent again.", { method: "GET", path: "/", error: cause }]]);
});

Deno.test("a server whose store is gone is alive but not ready", async () => {
  const app = await StartedApp.start();
  await app[Symbol.asyncDispose]();
  assertEquals((await app.request("GET", "/health")).status, 200);
  const { status, text } = await app.request("GET", "/ready");
  assertEquals([status, text], [503, '{"message":"Database is not available"}']);
});

Deno.test("what only reads is read again when something was replaced meanwhile; a write is not repeated", async () => {
  const contention = new DomainError("contention", "words");
  const statusOf = async (method: "GET" | "POST", path: string, failures: number) => {
    let calls = 0;
    const app = new Hono();
    const answers = { 200: z.null() };
    mount(app, [endpoint({ method, path, summary: "s", answers }, () => {
      if (++calls <= failures) throw contention;
      return ok(null);
    })], silentLog);
    const { status } = await app.request(path, { method });
    return [status, calls];
  };
  assertEquals(await statusOf("GET", "/things/1", 2), [200, 3]);
  assertEquals(await statusOf("POST", "/things/filter", 2), [200, 3]);
  assertEquals(await statusOf("GET", "/things/1", 100), [503, 5]);
  assertEquals(await statusOf("POST", "/things", 2), [503, 1]);
});
