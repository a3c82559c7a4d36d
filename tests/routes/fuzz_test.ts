/** Random requests over all endpoints. SLUICE_FUZZ: how many; SLUICE_FUZZ_SEED: which. */
import { assert, assertEquals } from "@std/assert";
import { readAll } from "../services/audit.ts";
import { indexFaults } from "../services/audit_indexes.ts";
import { type FuzzRequest, FuzzRequests } from "../testing/fuzz_requests.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { examplesIn } from "./examples.ts";
import { StartedApp } from "./started_app.ts";

const COUNT = Number(Deno.env.get("SLUICE_FUZZ") ?? 10_000);
const SEED = Number(Deno.env.get("SLUICE_FUZZ_SEED") ?? (Deno.env.has("SLUICE_FUZZ") ? Date.now() : 1));
/** Requests under way at the same time. */
const AT_ONCE = 4;
/** A client that waits longer than this for what is no claim and no heartbeat would call the server dead. */
const DEADLINE_MS = 10_000;
/** Claims and heartbeats may wait for news: their client goes after this time. */
const PATIENCE_MS = 30;

Deno.test(`${COUNT} random requests make no fault, hang nowhere and leave nothing half done; seed ${SEED}`, async () => {
  const random = new SeededRandom(SEED);
  await using app = await StartedApp.start({ random: random.fork("server"), allowedHosts: ["*"] });
  const requests = new FuzzRequests(random.fork("requests"), await examplesIn(app));
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < COUNT; sent += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => requests.next());
    for (const { request, status, answer } of await Promise.all(batch.map((one) => answered(app, one)))) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status < 300) requests.learn(request.path, answer);
      if (status === 404) requests.forget(request.path);
    }
    if (sent % (COUNT / 4) < AT_ONCE) await audit(app);
  }
  await audit(app);
  // Those who write what others write at the same time may be told to come again.
  assert((statuses.get(503) ?? 0) <= COUNT / 1_000, JSON.stringify([...statuses]));
  // What is refused every time tests little.
  const accepted = [200, 201, 204].map((status) => statuses.get(status) ?? 0);
  assert(Math.min(...accepted) > COUNT / 100, JSON.stringify([...statuses]));
});

async function answered(app: StartedApp, request: FuzzRequest) {
  const { method, path, headers, body } = request;
  const title = () =>
    `${method} ${path} ${JSON.stringify(headers)} ${new TextDecoder().decode(body).slice(0, 2_000)}`;
  const client = new AbortController();
  const isLongPoll = /\/(claim|heartbeat)\/?(\?|$)/.test(path);
  const leaving = isLongPoll ? setTimeout(() => client.abort(), PATIENCE_MS) : undefined;
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`No answer: ${title()}`)), DEADLINE_MS);
  });
  try {
    const response = await Promise.race([
      app.fetch(
        new Request(`http://localhost${path}`, {
          method,
          headers,
          ...(body ? { body } : {}),
          signal: client.signal,
        }),
      ),
      late,
    ]);
    const text = await response.text();
    const { status } = response;
    const isLater = status === 503 && response.headers.has("retry-after");
    assert(status < 500 || isLater, `${status} ${text} to ${title()}`);
    const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
    return { request, status, answer: isJson ? JSON.parse(text) : undefined };
  } finally {
    clearTimeout(deadline);
    clearTimeout(leaving);
  }
}

async function audit(app: StartedApp): Promise<void> {
  assertEquals([...(await readAll(app.kv)).faults(), ...await indexFaults(app.kv)], []);
}
