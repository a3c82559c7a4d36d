import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { ApiError, Http, UnreachableError } from "../../src/client/http.ts";

const answering = (text: string, init: ResponseInit) =>
  new Http({ url: "http://server/api", fetch: () => Promise.resolve(new Response(text, init)) });

async function refusal(text: string, init: ResponseInit): Promise<ApiError> {
  return await assertRejects(() => answering(text, init).request("GET", "/x"), ApiError);
}

Deno.test("Http.request() tells a refusal in the server's words, and what is no JSON as it is", async () => {
  const cases: [text: string, words: string][] = [
    ['{"detail":"Flow not found"}', "Flow not found"],
    ['{"exception_message":"gone"}', "gone"],
    [
      '{"exception_detail":[{"loc":["body","a","b"],"msg":"wrong"},{"loc":["body"],"msg":"bad"}]}',
      "a.b: wrong; bad",
    ],
    ["<html>Bad Gateway</html>", "502 <html>Bad Gateway</html>"],
    ["null", "502 null"],
    ["", "502"],
    ["{}", "status 502"],
  ];
  for (const [text, words] of cases) {
    const { status, message } = await refusal(text, { status: 502 });
    assertEquals([status, message], [502, words]);
  }
});

Deno.test("Http.request() tells for how long the server asks to wait, when it says so in seconds", async () => {
  for (
    const [header, seconds] of [["3", 3], ["0", 0], ["Wed, 21 Oct 2026 07:28:00 GMT", undefined], [
      "-1",
      undefined,
    ]]
  ) {
    const { retryAfter } = await refusal("", { status: 503, headers: { "retry-after": String(header) } });
    assertEquals(retryAfter, seconds, String(header));
  }
  assertEquals((await refusal("", { status: 503 })).retryAfter, undefined);
});

Deno.test("Http.request() drops what the answer's shape does not name", async () => {
  const http = answering('{"a":1,"new":2}', { status: 200 });
  assertEquals(await http.request("GET", "/x", { answer: z.object({ a: z.number() }) }), { a: 1 });
});

/** Never answers; a request ends when its signal does. */
const silent = new Http({
  url: "http://server/api",
  fetch: (_url, { signal }) =>
    new Promise((_, reject) => {
      if (signal!.aborted) reject(signal!.reason);
      signal!.addEventListener("abort", () => reject(signal!.reason));
    }),
});

Deno.test("Http.request() is given up at its deadline", async () => {
  // The deadline's own timer does not keep a process alive.
  const alive = setTimeout(() => {}, 60_000);
  const error = await assertRejects(() => silent.request("GET", "/x", { deadlineMs: 5 }), UnreachableError);
  assert(error.message.startsWith("No answer from http://server/api/x"), error.message);
  clearTimeout(alive);
});

Deno.test("Http.request() that its caller gives up fails with the caller's own reason", async () => {
  const signal = AbortSignal.abort(new RangeError("mine"));
  await assertRejects(() => silent.request("GET", "/x", { signal }), RangeError, "mine");
});
