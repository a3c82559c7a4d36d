import { assertEquals, assertMatch } from "@std/assert";
import { readManifest } from "../../src/cli/manifest/manifest.ts";

/** A deployment with these lines below its name; they begin on line 4. */
const withLines = (...lines: string[]) =>
  ["deployments:", "  - name: nightly", "    flow: etl", ...lines.map((line) => `    ${line}`)].join("\n");

const PROBLEMS: [string, string, number, RegExp][] = [
  [
    "a misspelt key",
    withLines("command: x", "pramaeters: {}"),
    5,
    /Unknown key 'pramaeters'\. Did you mean 'parameters'/,
  ],
  [
    "a misspelt key of the pool",
    withLines("command: x", "work_pool:", "  nme: a"),
    6,
    /'nme'\. Did you mean 'name'/,
  ],
  ["a misspelt key at the top", "deploymets: []", 1, /Did you mean 'deployments'/],
  [
    "a misspelt key of a queue",
    "work_pools:\n  - name: p\n    queues:\n      - name: q\n        priorty: 1",
    5,
    /Did you mean 'priority'/,
  ],
  ["a missing name", "deployments:\n  - flow: etl\n    command: x", 2, /'name' is missing/],
  ["a missing flow", "deployments:\n  - name: a\n    command: x", 2, /'flow' is missing/],
  ["nothing to run", withLines("tags: []"), 2, /nothing to run: give it a 'command' or an 'entrypoint'/],
  [
    "a version that is a number",
    withLines("command: x", "version: 1.0"),
    5,
    /'version' must be text, not 1\. Put it in quotes/,
  ],
  ["tags that are no list", withLines("command: x", "tags: a"), 5, /'tags' must be a list, not "a"/],
  [
    "a tag that is no text",
    withLines("command: x", "tags:", "  - a", "  - 5"),
    7,
    /Each of 'tags' must be text/,
  ],
  ["a name with a slash", "deployments:\n  - name: a/b\n    flow: x\n    command: x", 2, /is no name/],
  [
    "a limit below its minimum",
    withLines("command: x", "concurrency_limit: 0"),
    5,
    /must be 1 or more, not 0/,
  ],
  ["a timeout of nothing", withLines("command: x", "timeout_seconds: 0"), 5, /'timeout_seconds' must be/],
  ["an env that is no object", withLines("command: x", "env: [A]"), 5, /'env' must be an object/],
  [
    "a placeholder for a shell",
    withLines("command: sh -c 'echo {{ day }}'"),
    4,
    /write "\$SLUICE_PARAM_day" there/,
  ],
  [
    "the same in job_variables",
    withLines("work_pool:", "  job_variables:", "    command: bash -c 'x {{ d }}'"),
    6,
    /SLUICE_PARAM_d/,
  ],
  ["a command with an open quote", withLines("command: echo 'x"), 4, /never closed/],
  [
    "a setting given twice",
    withLines("command: x", "work_pool: { job_variables: { command: y } }"),
    4,
    /given twice/,
  ],
  ["two names for the flow", withLines("command: x", "flow_name: other"), 5, /keep one/],
  ["a schedule without times", withLines("command: x", "schedule: { timezone: UTC }"), 5, /exactly one of/],
  [
    "a misspelt key of a schedule",
    withLines("command: x", "schedules:", "  - corn: a"),
    6,
    /Did you mean 'cron'/,
  ],
  ["a duplicate key", withLines("command: x", "command: y"), 5, /no valid YAML.*unique/],
  ["a tab", "deployments:\n\t- name: x", 2, /no valid YAML/],
  ["two documents", "a: 1\n---\nb: 2", 2, /no valid YAML.*multiple documents/],
  ["text instead of a list", "deployments: x", 1, /'deployments' must be a list/],
  ["a list at the top", "- a", 1, /must be an object with keys/],
  ["an empty file", "", 1, /must be an object with keys/],
  ["a file without deployments", "name: x", 1, /nothing to apply/],
  [
    "two deployments of one name",
    `${withLines("command: x")}\n  - name: nightly\n    flow: etl\n    command: y`,
    5,
    /two deployments named 'etl\/nightly'/,
  ],
];

Deno.test("readManifest() tells the line of each problem, and what is meant", () => {
  for (const [what, text, line, message] of PROBLEMS) {
    const { manifest, problems } = readManifest(text);
    assertEquals(manifest, undefined, what);
    assertEquals(problems[0]?.line, line, `${what}: ${JSON.stringify(problems)}`);
    assertMatch(problems[0]?.message ?? "", message, what);
  }
});

Deno.test("readManifest() finds all problems in one go", () => {
  const { problems } = readManifest(
    "deployments:\n  - name: a\n    flow: f\n    comand: x\n    version: 2\n  - flow: g\n    command: x\nwork_pools:\n  - nam: p\nextra: 1",
  );
  assertEquals(problems.map(({ line }) => line).sort((a, b) => a - b), [4, 5, 6, 9, 9, 10]);
});

Deno.test("readManifest() refuses aliases that multiply without bound", () => {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(`*${of}`).join(", ")}]`;
  const text = ["a: &a [x]", level("b", "a"), level("c", "b"), level("d", "c"), level("e", "d")].join("\n");
  const { problems } = readManifest(`definitions:\n${text.replaceAll(/^/gm, "  ")}\ndeployments: []`);
  assertMatch(problems[0]?.message ?? "", /Too many aliases/);
});

Deno.test("readManifest() sends every key, so that what was taken out of the file goes", () => {
  const { manifest } = readManifest(
    withLines("command: report.sh {{ day }}", "work_pool: { name: my-pool }"),
  );
  assertEquals(manifest?.deployments, [{
    flow: "etl",
    poolLine: 5,
    body: {
      name: "nightly",
      description: null,
      version: null,
      entrypoint: null,
      tags: [],
      parameters: {},
      enforce_parameter_schema: false,
      paused: false,
      work_pool_name: "my-pool",
      work_queue_name: null,
      job_variables: { command: "report.sh {{ day }}" },
      schedules: [],
      concurrency_limit: null,
    },
  }]);
});

Deno.test("readManifest() puts command, working_dir, env and timeout_seconds into the job variables", () => {
  const { manifest } = readManifest(withLines(
    "command: x",
    "working_dir: /srv",
    "env: { A: 1, B: text }",
    "timeout_seconds: 60",
    "work_pool: { job_variables: { labels: { team: a } } }",
  ));
  assertEquals(manifest?.deployments[0]?.body.job_variables, {
    labels: { team: "a" },
    command: "x",
    working_dir: "/srv",
    env: { A: 1, B: "text" },
    timeout_seconds: 60,
  });
});

Deno.test("readManifest() reads a prefect.yaml: anchors, entrypoint, schedules; what has no effect is a warning", () => {
  const { manifest, problems, warnings } = readManifest(`
name: project
prefect-version: 3.4.0
pull: null
definitions:
  pools: &pool
    name: my-pool
deployments:
  - name: main
    entrypoint: flows/report.py:nightly_report
    work_pool:
      <<: *pool
      work_queue_name: high
    concurrency_limit: { limit: 2, collision_strategy: ENQUEUE }
    schedules:
      - cron: "0 3 * * *"
        timezone: Europe/Vienna
        active: false
    triggers: []
`);
  assertEquals(problems, []);
  assertEquals(warnings.map(({ line }) => line).sort((a, b) => a - b), [2, 3, 4, 5, 19]);
  const [plan] = manifest?.deployments ?? [];
  assertEquals(plan?.flow, "nightly-report");
  assertEquals(plan?.body.work_pool_name, "my-pool");
  assertEquals(plan?.body.work_queue_name, "high");
  assertEquals(plan?.body.concurrency_limit, 2);
  assertEquals(plan?.body.schedules, [{
    schedule: { cron: "0 3 * * *", timezone: "Europe/Vienna" },
    active: false,
  }]);
});

Deno.test("readManifest() reads JSON", () => {
  const { manifest } = readManifest('{"deployments": [{"name": "a", "flow": "f", "command": "x"}]}');
  assertEquals(manifest?.deployments[0]?.body.name, "a");
});

Deno.test("readManifest() accepts examples/sluice.yaml without a word", async () => {
  const text = await Deno.readTextFile(new URL("../../examples/sluice.yaml", import.meta.url));
  const { manifest, problems, warnings } = readManifest(text);
  assertEquals([problems, warnings], [[], []]);
  assertEquals(manifest?.deployments.map(({ flow, body }) => `${flow}/${body.name}`), [
    "etl/nightly",
    "etl/broken",
    "etl/long",
  ]);
});
