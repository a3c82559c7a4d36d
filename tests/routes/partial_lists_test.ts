import { assert, assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("a list that costs too much is 422 with what to narrow, or a part for clients that take one", async () => {
  await using app = await StartedApp.start({ index: { budget: { records: 60 } } });
  const flow = (await app.api.flows.create({ name: "f" })).id;
  for (let i = 0; i < 150; i++) {
    await app.request("POST", "/flow_runs/", { flow_id: flow, flow_version: `${i % 3}` });
  }
  const body = { flow_runs: { flow_version: { any_: ["1"] } }, limit: 200, sort: "ID_DESC" };
  const refused = await app.request("POST", "/flow_runs/filter", body);
  assertEquals(refused.status, 422);
  assert(/Narrow the filter/.test(refused.text), refused.text);
  const counted = await app.request("POST", "/flow_runs/count", body);
  assertEquals(counted.status, 422);

  const names: string[] = [];
  let next: string | null = "";
  for (let part = 0; next !== null; part++) {
    assert(part < 10);
    const headers: Record<string, string> = {
      "Sluice-Partial": "accept",
      ...(next ? { "Sluice-Next": next } : {}),
    };
    const answer = await app.request("POST", "/flow_runs/filter", body, headers);
    assertEquals(answer.status, 200, answer.text);
    names.push(...(answer.body as { id: string }[]).map(({ id }) => id));
    next = answer.headers.get("Sluice-Next");
    if (next) assert(/^partial; read=\d+; of=\d+$/.test(answer.headers.get("Sluice-Scan") ?? ""));
  }
  assertEquals([names.length, new Set(names).size, names.toSorted().reverse()], [50, 50, names]);

  const odd = await app.request("POST", "/flow_runs/filter", body, { "Sluice-Next": "nonsense" });
  assertEquals(odd.status, 422);
});
