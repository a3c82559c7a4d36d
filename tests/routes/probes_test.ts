/** Replays what was recorded of a real server of the reference, and compares status and body. */
import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { parseInstant } from "../../src/schemas/wire.ts";
import { Matcher } from "./matcher.ts";
import { StartedApp } from "./started_app.ts";

interface Accepted {
  request: RegExp;
  /** Ours, where it is another one. */
  status?: number;
  /** The places of the answer that may differ. */
  differs: RegExp;
  reason: string;
}

/** Differences that are meant. Everything else has to be equal. */
const ACCEPTED: readonly Accepted[] = [
  {
    request: /^POST \/work_pools\/count \{\}$/,
    differs: /^\$: 6 was 4$/,
    reason: "the recorded server had two more pools",
  },
  {
    request: /^POST \/deployments\/ .*("f\.py:pf"|"brandnew")\}$/,
    differs: /: only ours$|^\$\.(last_polled|status)/,
    reason: "2.20 clients get their fields; a deployment is ready as soon as its queue is polled",
  },
  {
    request: /^GET \/deployments\/<(18|55)>$/,
    differs: /: only ours$/,
    reason: "as the one before",
  },
  {
    request: /^(POST|GET) \/deployments\/<\d+>\/schedules/,
    differs: /\.(catchup|max_active_runs): only ours$/,
    reason: "as the one before",
  },
  {
    request: /^DELETE \/flows\/<17>$/,
    status: 409,
    differs: /^/,
    reason: "refused, once and again, while a run of the flow holds a slot",
  },
  {
    request: /^POST \/flow_runs\/(count|filter) .*("deployments"|<55>)/,
    differs: /^\$: (8|\[|2)|^\$\[1\]\.(idempotency_key|state\.state_details\.flow_run_id)/,
    reason: "the replay's clock stands elsewhere in the hour, so that other dates are ahead",
  },
  {
    request: /^POST \/flows$/,
    status: 422,
    differs: /^/,
    reason: "both slash forms are served (and this one lacks its body); the reference redirects",
  },
  {
    request: /^GET \/health\/$/,
    status: 200,
    differs: /^/,
    reason: "both slash forms are served; the reference redirects",
  },
  {
    request: /^POST \/flows\/ \{bad json$/,
    differs: /^\$\.exception_detail\[0\]\.(loc\[1\]|ctx\.error)/,
    reason: "another parser, which words its errors itself and does not always tell where",
  },
  {
    request: /^GET \/admin\/version$/,
    differs: /^\$: "3\..*" was "3\./,
    reason: "ours is higher, so that clients of both majors go on without a warning",
  },
  {
    request: /^GET \/csrf-token$/,
    differs: /^/,
    reason: "CSRF is off; the answer says so whatever was asked, in the words that the reference has for it",
  },
  {
    request: /queues\/d \{"name": "default"\}$/,
    differs: /^\$\.detail/,
    reason: "the refusal names what is taken",
  },
  {
    request: /queues \{"name": "a"\}$/,
    differs: /^\$\.detail/,
    reason: "the reference's text shows an unfilled placeholder",
  },
  {
    request: /^DELETE \/work_pools\/probe1\/queues\/default$/,
    status: 409,
    differs: /^/,
    reason: "a refusal with its reason instead of a 500",
  },
  {
    request: /^DELETE \/work_queues\/<4>$/,
    differs: /^\$\.detail/,
    reason: "the refusal says why: it is the pool's default queue",
  },
  {
    request: /"infrastructure_document_id"/,
    status: 201,
    differs: /^/,
    reason: "blocks come with a later release, so that there is nothing to look for",
  },
  {
    request: /"name": "a\/b c%"/,
    status: 422,
    differs: /^/,
    reason: "a refusal with its reason instead of a 500",
  },
  {
    request: /^POST \/deployments\/ .*"lq"\}$/,
    differs: /: only ours$/,
    reason: "what only 2.20 clients read is sent to everybody",
  },
  {
    request: /create_flow_run .*"k1"\}$/,
    differs: /^\$\.(deployment_version|tags)/,
    reason: "the deployment's version and tags were in the request that was recorded in part",
  },
  {
    request: /get_scheduled_flow_runs \{"limit": 1\}$/,
    differs: /^\$\[0\]\.flow_run\.(deployment_version|work_queue_name|state:|.*: only ours$)/,
    reason:
      "the whole run is sent, with its state and the queue that it is in, instead of the deployment's earlier one",
  },
  {
    request: /^DELETE \/work_pools\/probe1$/,
    status: 409,
    differs: /^/,
    reason: "refused while runs hold slots there",
  },
];

interface Probe {
  method: string;
  path: string;
  body: string;
  status: number;
  answer: unknown;
  kept: string;
}

function readProbes(): Probe[] {
  const text = Deno.readTextFileSync(new URL("../data/prefect_probes.txt", import.meta.url));
  return text.trimEnd().split("\n").map((line) => {
    const [method = "", path = "", body = "", status = "", answer = "", kept = ""] = line.split("\t");
    return {
      method,
      path,
      body,
      status: Number(status),
      answer: answer === "" ? undefined : JSON.parse(answer),
      kept,
    };
  });
}

/** The server's time when it was recorded: one request names a time of that day as its future. */
const behind = systemClock.now() - parseInstant("2026-11-23T22:14:51Z")!;
const clock = { ...systemClock, now: () => systemClock.now() - behind };

Deno.test("recorded requests get the reference's answers", async (t) => {
  await using app = await StartedApp.start({ clock });
  // The recorded server had the default agent pool already.
  await app.request("POST", "/work_queues/", { name: "default" });
  const matcher = new Matcher();
  const used = new Set<Accepted>();
  for (const probe of readProbes()) {
    const asked = `${probe.method} ${probe.path} ${probe.body}`.trimEnd();
    const got = await app.request(
      probe.method,
      matcher.ours(probe.path),
      probe.body === "" ? undefined : matcher.ours(probe.body),
    );
    const accepted = ACCEPTED.find(({ request }) => request.test(asked));
    if (accepted) used.add(accepted);
    await t.step(`${asked.slice(0, 120)}${accepted ? ` (${accepted.reason})` : ""}`, () => {
      assertEquals(got.status, accepted?.status ?? probe.status, got.text.slice(0, 500));
      const differences = matcher.compare(probe.answer, got.body, probe.kept);
      assertEquals(differences.filter((one) => !accepted?.differs.test(one)), []);
    });
  }
  assertEquals(ACCEPTED.filter((one) => !used.has(one)), [], "differences that no longer exist");
});
