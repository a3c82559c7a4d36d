import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { CLAIM_TOKEN_HEADER } from "../../src/schemas/agent.ts";
import { Api } from "../../src/client/api.ts";
import { pathWith } from "../../src/client/call.ts";
import { StartedApp } from "../routes/started_app.ts";

const shapeOf = (schema: z.ZodType | undefined, io: "input" | "output") =>
  schema && JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: "any" }));

Deno.test("each method of Api asks an endpoint that there is, with its body, and reads what it answers", async () => {
  await using app = await StartedApp.start();
  assert(app.api.calls.length > 30);
  for (const { method, path, body, query, answer } of app.api.calls) {
    const title = `${method} ${path}`;
    // Both slash forms of a path are served.
    const endpoint = app.endpoints.find((one) =>
      one.method === method && one.path === path.replace(/\/$/, "")
    );
    assert(endpoint, `${title} is no endpoint`);
    assertEquals(shapeOf(body, "input"), shapeOf(endpoint.body, "input"), title);
    assertEquals(shapeOf(query, "input"), shapeOf(endpoint.query, "input"), title);
    const answered = Object.entries(endpoint.answers ?? {})
      .filter(([status]) => Number(status) < 300)
      .map(([, shape]) =>
        shape instanceof z.ZodType && !(shape instanceof z.ZodNull) ? shapeOf(shape, "output") : undefined
      );
    for (const shape of answered) assertEquals(shapeOf(answer, "output"), shape, title);
  }
});

Deno.test("Api fills in and escapes the parts of a path, then sends the body and the headers", async () => {
  const asked: [url: string, init: RequestInit][] = [];
  const api = new Api({
    url: "http://server/api/",
    fetch: (url, init) => {
      asked.push([url, init]);
      return Promise.resolve(new Response("{}", { status: 418 }));
    },
  });
  const queue = api.workQueues.update("a/b", "c d", { is_paused: true });
  const state = api.flowRuns.setState("run", { state: { type: "FAILED" } }, "secret");
  const list = api.flows.list();
  const removal = api.workPools.delete("p", { move_to: "a/b" });
  await Promise.allSettled([queue, state, list, removal]);
  assertEquals(asked.map(([url, { method, body }]) => [method, url, body]), [
    ["PATCH", "http://server/api/work_pools/a%2Fb/queues/c%20d", '{"is_paused":true}'],
    ["POST", "http://server/api/flow_runs/run/set_state", '{"state":{"type":"FAILED"}}'],
    ["POST", "http://server/api/flows/filter", "{}"],
    ["DELETE", "http://server/api/work_pools/p?move_to=a%2Fb", undefined],
  ]);
  const headers = new Headers(asked[1]![1].headers);
  assertEquals([headers.get(CLAIM_TOKEN_HEADER), headers.get("content-type")], [
    "secret",
    "application/json",
  ]);
});

Deno.test("pathWith() fills in parts in their order", () => {
  assertEquals(pathWith("/a/:b/c/:d", ["1", "?"]), "/a/1/c/%3F");
  assertEquals(pathWith("/a", []), "/a");
});
