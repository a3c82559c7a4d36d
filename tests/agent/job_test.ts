import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { childEnvironment, tokenUrl } from "../../src/agent/environment.ts";
import { buildJob, type Job, type JobSource } from "../../src/agent/job.ts";
import { referencedVariables } from "../../src/agent/job_values.ts";
import { CommandError } from "../../src/schemas/command.ts";

function build(source: Partial<JobSource>): Job {
  return buildJob({
    template: {},
    jobVariables: [],
    parameters: {},
    references: {},
    entrypoint: null,
    ...source,
  });
}

const TEMPLATE = {
  job_configuration: {
    command: "{{ command }}",
    env: "{{ env }}",
    working_dir: "{{ working_dir }}",
    name: "job-{{ name }}",
    labels: { team: "{{ team }}", gone: "{{ gone }}" },
    timeout_seconds: "{{ timeout_seconds }}",
  },
  variables: {
    properties: {
      command: { default: null },
      env: { default: {} },
      team: { default: "data" },
      name: {},
      timeout_seconds: {},
    },
  },
};

Deno.test("buildJob() fills the template: its defaults, under the deployment, under the run", () => {
  const job = build({
    template: TEMPLATE,
    jobVariables: [
      { command: "sh a.sh", env: { A: "1" }, name: "x", timeout_seconds: 5, unknown: true },
      { command: "sh b.sh", working_dir: "/srv" },
    ],
  });
  assertEquals(job, {
    command: ["sh", "b.sh"],
    env: { A: "1" },
    workingDir: "/srv",
    name: "job-x",
    labels: { team: "data" },
    timeoutSeconds: 5,
    streamOutput: undefined,
    reportsRunning: false,
  });
});

Deno.test("buildJob() takes the job variables as the job when the template is empty", () => {
  const job = build({
    jobVariables: [{ command: "true", env: { N: 5, ON: true, NOT: null, O: { a: 1 } }, x: 1 }],
  });
  assertEquals(job, {
    command: ["true"],
    env: { N: "5", ON: "true", O: '{"a":1}' },
    workingDir: undefined,
    name: undefined,
    labels: {},
    timeoutSeconds: undefined,
    streamOutput: undefined,
    reportsRunning: false,
  });
});

Deno.test("buildJob() splits first and fills then, so a value never becomes two words", () => {
  const evil = `a b'; rm -rf / #$(x) "`;
  const cases: [command: string, words: string[]][] = [
    ["run {{ day }}", ["run", evil]],
    ["run --day={{ parameters.day }}", ["run", `--day=${evil}`]],
    ["run {{ queue }} {{ n }}", ["run", "from-variables", "5"]],
    ["run '{{ parameters.queue }}'", ["run", "from-parameters"]],
  ];
  for (const template of [{}, TEMPLATE]) {
    for (const [command, words] of cases) {
      const source = {
        template,
        jobVariables: [{ command, queue: "from-variables" }],
        parameters: { day: evil, queue: "from-parameters", n: 5 },
      };
      assertEquals(build(source).command, words);
    }
  }
});

Deno.test("buildJob() fills placeholders of a template's own command, and of a deployment's env", () => {
  const template = {
    job_configuration: { command: "run {{ script }}", env: { DAY: "on {{ parameters.day }}" } },
  };
  const job = build({ template, jobVariables: [{ script: "a b" }], parameters: { day: "1" } });
  assertEquals([job.command, job.env], [["run", "a b"], { DAY: "on 1" }]);
  const outer = build({
    template: TEMPLATE,
    jobVariables: [{ command: "x", env: { DAY: "{{ parameters.day }}" } }],
    parameters: { day: 7 },
  });
  assertEquals(outer.env, { DAY: "7" });
});

Deno.test("buildJob() starts the reference's engine for an entrypoint without a command", () => {
  assertEquals(build({ entrypoint: "flow.py:main" }).command, ["python", "-m", "prefect.engine"]);
  assertEquals(build({ entrypoint: "flow.py:main", template: TEMPLATE }).command, [
    "python",
    "-m",
    "prefect.engine",
  ]);
  assertEquals(build({ entrypoint: "flow.py:main" }).reportsRunning, true, "the engine says RUNNING itself");
  assertEquals(build({ entrypoint: "flow.py:main", jobVariables: [{ command: "x" }] }).command, ["x"]);
});

Deno.test("buildJob() refuses what cannot be run, and says what to do", () => {
  const cases: [source: Partial<JobSource>, message: string][] = [
    [{}, "nothing to run"],
    [{ template: TEMPLATE }, "nothing to run"],
    [{ jobVariables: [{ command: "a 'b" }] }, "never closed"],
    [{ jobVariables: [{ command: "a {{ dya }}" }], parameters: { day: 1 } }, "{{ dya }}"],
    [{ jobVariables: [{ command: ["a"] }] }, "command must be text"],
    [{ jobVariables: [{ command: "a", env: "B=1" }] }, "env must be an object"],
    [{ jobVariables: [{ command: "a", timeout_seconds: "soon" }] }, "timeout_seconds must be a number"],
    [{ jobVariables: [{ command: "a", timeout_seconds: 0 }] }, "above 0"],
    [{ jobVariables: [{ command: "a", stream_output: 1 }] }, "stream_output must be true or false"],
    [{ jobVariables: [{ command: "a {{ prefect.variables.x }}" }] }, "variable 'x', and there is none"],
    [{ jobVariables: [{ command: "a {{ prefect.blocks.secret.x }}" }] }, "there are no blocks"],
    [
      {
        template: { ...TEMPLATE, variables: { ...TEMPLATE.variables, required: ["team", "image", "cpu"] } },
        jobVariables: [{ command: "a", cpu: 1 }],
      },
      "needs image: give it as a job variable",
    ],
    [{ jobVariables: [{ command: "sh -c '{{ a }}'", a: 1 }] }, "$SLUICE_PARAM_a"],
    [
      { jobVariables: [{ command: "{{ shell }} -c '{{ a }}'", a: 1, shell: "/bin/bash" }] },
      "$SLUICE_PARAM_a",
    ],
  ];
  for (const [source, message] of cases) {
    assertStringIncludes(assertThrows(() => build(source), CommandError).message, message);
  }
});

Deno.test("buildJob() reaches into nested values of variables and parameters, and keeps their types", () => {
  const template = {
    job_configuration: {
      command: "run --cpu={{ resources.cpu }} {{ hosts[1].name }} {{ parameters.range.from }}",
      env: {
        MEM: "{{ resources.mem }}",
        ALL: "{{ resources }}",
        NONE: "{{ resources.gpu }}",
        T: "a{{ resources.gpu }}b",
      },
      labels: "{{ meta.labels }}",
      timeout_seconds: "{{ limits.time }}",
    },
    variables: {
      properties: { resources: { default: { cpu: 1, mem: "1G" } }, hosts: {}, meta: {}, limits: {} },
    },
  };
  const jobVariables = [
    { hosts: [{ name: "a" }, { name: "b c" }], meta: { labels: { team: "x" } } },
    { "limits.time": 7, limits: { time: 5 } },
  ];
  const job = build({ template, jobVariables, parameters: { range: { from: 3 } } });
  assertEquals(job.command, ["run", "--cpu=1", "b c", "3"]);
  assertEquals(job.env, { MEM: "1G", ALL: '{"cpu":1,"mem":"1G"}', T: "ab" });
  assertEquals([job.labels, job.timeoutSeconds], [{ team: "x" }, 7]);
});

Deno.test("buildJob() takes null for not given, also where a run takes back what its deployment set", () => {
  const template = {
    job_configuration: { command: "run '{{ image }}'", name: "n{{ tag }}" },
    variables: { properties: { tag: { default: null }, image: { default: "i" } } },
  };
  assertEquals(build({ template, jobVariables: [{}] }).name, "n");
  const both = [{ image: "j", tag: "t" }, { tag: null }];
  const job = build({ template, jobVariables: both });
  assertEquals([job.command, job.name], [["run", "j"], "n"]);
});

Deno.test("buildJob() lays the given environment over the one that the template fixes", () => {
  const template = { job_configuration: { command: "x", env: { A: "pool", B: "{{ b }}", C: "pool" } } };
  const job = build({
    template,
    jobVariables: [{ b: 2, env: { A: "own", C: null, D: "{{ parameters.d }}" } }],
    parameters: { d: 4 },
  });
  assertEquals(job.env, { A: "own", B: "2", D: "4" });
});

Deno.test("buildJob() resolves variables of the server, whole and within text", () => {
  const references = { token: "s3", cmd: "run now", conf: { host: "h", ports: [1, 2] } };
  const jobVariables = [{
    command: "{{ prefect.variables.cmd }}",
    env: { T: "Bearer {{ prefect.variables.token }}", P: "{{ prefect.variables.conf.ports[1] }}" },
    labels: "{{ prefect.variables.conf }}",
  }];
  assertEquals(referencedVariables({ template: {}, jobVariables, parameters: {} }), ["cmd", "token", "conf"]);
  const job = build({ jobVariables, references });
  assertEquals([job.command, job.env], [["run", "now"], { T: "Bearer s3", P: "2" }]);
  assertEquals(job.labels, references.conf);
});

Deno.test("buildJob() never takes what stands in parameters or variables for a placeholder", () => {
  const job = build({
    jobVariables: [{ command: "run {{ a }} {{ prefect.variables.v }}" }],
    parameters: { a: "{{ prefect.variables.secret }}" },
    references: { v: "{{ a }}", secret: "s" },
  });
  assertEquals(job.command, ["run", "{{ prefect.variables.secret }}", "{{ a }}"]);
});

Deno.test("buildJob() reads whether output is shown", () => {
  const of = (stream_output: unknown) =>
    build({ jobVariables: [{ command: "a", stream_output }] }).streamOutput;
  assertEquals([true, "true", false, "false", null, ""].map(of), [
    true,
    true,
    false,
    false,
    undefined,
    undefined,
  ]);
});

Deno.test("buildJob() reads a timeout that is text", () => {
  assertEquals(build({ jobVariables: [{ command: "a", timeout_seconds: "1.5" }] }).timeoutSeconds, 1.5);
});

Deno.test("childEnvironment() lays the run's identity over the job's env over the agent's", () => {
  const env = childEnvironment({
    PATH: "/bin",
    HOME: "/root",
    SLUICE_DEPLOYMENT: "outer/run",
    GONE: undefined,
  }, {
    job: { HOME: "/job", PREFECT_API_URL: "http://elsewhere/api" },
    run: {
      flowRunId: "id",
      flowRunName: "name",
      deployment: undefined,
      parameters: { text: "a", list: [1], "a.b-c": null },
      token: "t",
    },
    api: "http://h:1/api",
    workFolder: "/w",
  });
  assertEquals(env, {
    PATH: "/bin",
    HOME: "/job",
    SLUICE_PARAM_text: "a",
    SLUICE_PARAM_list: "[1]",
    SLUICE_PARAM_a_b_c: "null",
    SLUICE_PARAMETERS: '{"text":"a","list":[1],"a.b-c":null}',
    SLUICE_FLOW_RUN_ID: "id",
    SLUICE_FLOW_RUN_NAME: "name",
    SLUICE_WORK_DIR: "/w",
    PREFECT__FLOW_RUN_ID: "id",
    PREFECT_API_URL: "http://h:1/t/t/api",
  });
});

Deno.test("tokenUrl() puts the token right before /api, behind any path of a proxy", () => {
  assertEquals(tokenUrl("https://h/sluice/api/", "1-a/b"), "https://h/sluice/t/1-a%2Fb/api");
  assertEquals(tokenUrl("http://h:4200", "x"), "http://h:4200/t/x/api");
});
