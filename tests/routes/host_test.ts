import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

const ADDRESS = "127.0.0.1:4200";

async function statusOf(app: StartedApp, headers: Record<string, string>, method = "POST"): Promise<number> {
  const path = method === "GET" ? "/health" : "/flows/filter";
  const body = method === "GET" ? undefined : "{}";
  return (await app.request(method, path, body, { host: ADDRESS, ...headers })).status;
}

Deno.test("refuseOtherSites() refuses what pages of other sites send", async () => {
  await using app = await StartedApp.start();
  const refused: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:3000" },
    { origin: "https://evil.example", "sec-fetch-site": "cross-site", "content-type": "text/plain" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
  ];
  for (const headers of refused) assertEquals(await statusOf(app, headers), 403, JSON.stringify(headers));
  const text = (await app.request("POST", "/flows", { name: "f" }, { origin: "https://evil.example" })).text;
  assertEquals(text, '{"detail":"Requests from pages of other sites are refused."}');
  assertEquals((await app.request("GET", "/flows/name/f")).status, 404);
});

Deno.test("refuseOtherSites() lets through clients that are no browsers, the server's own pages, and reading", async () => {
  await using app = await StartedApp.start();
  const allowed: Record<string, string>[] = [
    {},
    { "content-type": "text/plain" },
    { origin: `http://${ADDRESS}` },
    { origin: "https://sluice.example", "sec-fetch-site": "same-origin" },
  ];
  for (const headers of allowed) assertEquals(await statusOf(app, headers), 200, JSON.stringify(headers));
  assertEquals(await statusOf(app, { origin: "https://evil.example" }, "GET"), 200);
});

Deno.test("refuseOtherSites() holds whatever names the server answers to", async () => {
  await using app = await StartedApp.start({ allowedHosts: ["*"] });
  assertEquals(await statusOf(app, { host: "sluice.example", origin: "https://evil.example" }), 403);
  assertEquals(await statusOf(app, { host: "sluice.example", origin: "https://sluice.example" }), 200);
});

Deno.test("a method that a path has not is answered with those that it has", async () => {
  await using app = await StartedApp.start();
  const { status, headers } = await app.request("PUT", "/work_pools/p", {});
  assertEquals([status, headers.get("allow")], [405, "GET, PATCH, DELETE"]);
});

Deno.test("no page of another site may read an answer: nothing allows it", async () => {
  await using app = await StartedApp.start();
  const asks = { host: ADDRESS, origin: "https://evil.example", "access-control-request-method": "POST" };
  for (
    const [method, path] of [["OPTIONS", "/flows/filter"], ["GET", "/health"], ["GET", "/docs"]] as const
  ) {
    const { headers } = await app.request(method, path, undefined, asks);
    assertEquals([...headers.keys()].filter((name) => name.startsWith("access-control-")), [], path);
  }
});
