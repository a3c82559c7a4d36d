/** The example of every command's help, run against a whole server in this process. */
import { assertEquals } from "@std/assert";
import { type CommandSpec, titleOf } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { splitWords } from "../../tools/shell_words.ts";
import { StartedApp } from "../routes/started_app.ts";
import { type FakeWorld, runCli } from "./fake_world.ts";

/** What the examples name, made unless the example itself makes it. */
const SEEDS: Readonly<Record<string, (app: StartedApp, world: FakeWorld) => Promise<unknown>>> = {
  "work-pool create": async ({ api }) => {
    await api.workPools.create({ name: "my-pool" });
    await api.workPools.create({ name: "my-local-machine" });
  },
  "work-queue create": ({ api }) => api.workQueues.create("my-pool", { name: "high" }),
  "deployment apply": async ({ api }) => {
    const flow = await api.flows.create({ name: "etl" });
    const { id } = await api.deployments.create({
      name: "nightly",
      flow_id: flow.id,
      work_pool_name: "my-pool",
      job_variables: { command: "true" },
    });
    const run = await api.deployments.run(id, { name: "brisk-otter" });
    await api.flowRuns.setState(run.id, { state: { type: "COMPLETED" }, force: true });
  },
  "agent start": ({ api }) =>
    api.agents.create({ name: "host-brisk-otter", host: "host", version: "0", pools: ["my-pool"] }),
  "variable set": ({ api }) => api.variables.create({ name: "bucket", value: "eu" }),
  "profile create": (_app, world) => runCli(["profile", "create", "staging"], world),
  "config set": (_app, world) => runCli(["config", "set", "SLUICE_API_URL=http://127.0.0.1:4200/api"], world),
};
/** What only commands of one group see. */
const OWN_GROUP = ["variable", "profile", "config"];
/** In whose place nothing that needs it can be either. */
const NEED_POOL = ["work-queue create", "deployment apply", "agent start"];

async function seed(app: StartedApp, title: string, world: FakeWorld): Promise<void> {
  for (const [maker, make] of Object.entries(SEEDS)) {
    const isOwn = maker === title;
    const [group = ""] = maker.split(" ");
    if (OWN_GROUP.includes(group) && !title.startsWith(`${group} `)) continue;
    const lacksPool = title === "work-pool create" && NEED_POOL.includes(maker);
    if (!isOwn && !lacksPool) await make(app, world);
  }
  if (title !== "flow-run cancel") return;
  const [run] = await app.api.flowRuns.list();
  await app.api.flowRuns.setState(run!.id, { state: { type: "SCHEDULED" } });
}

/** The app as a server for the command line. A run that is created has completed at once, as if there were an agent. */
function serverOf(app: StartedApp): NonNullable<FakeWorld["fetch"]> {
  return async (url, init) => {
    const path = url.replace(/^https?:\/\/[^/]+\/api/, "");
    const body = typeof init.body === "string" ? init.body : undefined;
    const { status, text, body: answer } = await app.request(init.method ?? "GET", path, body);
    if (path.endsWith("/create_flow_run") && status === 201) {
      const { id } = answer as { id: string };
      await app.api.flowRuns.setState(id, { state: { type: "COMPLETED" }, force: true });
    }
    return new Response(text === "" ? null : text, { status });
  };
}

async function runExample(command: CommandSpec): Promise<void> {
  const folder = await Deno.makeTempDir();
  await using app = await StartedApp.start();
  const main = () => Promise.resolve(0);
  const world: FakeWorld = {
    env: { SLUICE_PROFILES_PATH: `${folder}/profiles.json` },
    fetch: serverOf(app),
    serverMain: main,
    agentMain: main,
  };
  try {
    await seed(app, titleOf(command), world);
    const { code, out, err } = await runCli(splitWords(command.example), world);
    assertEquals(code, 0, `${command.example}\n${out}\n${err}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const command of COMMANDS) {
  // It starts processes; quickstart_test.ts does that.
  if (command.name === "quickstart") continue;
  Deno.test(`the example of ${titleOf(command)} runs`, () => runExample(command));
}
