/** An installation of Prefect as it comes from its registry, pointed at a server of ours. */
import { assert, assertEquals } from "@std/assert";
import { startServer, until } from "../../e2e/started.ts";
import { type Exchange, recordingProxy } from "../../testing/recording_proxy.ts";
import { Running } from "./running.ts";

const FOLDER = new URL(".", import.meta.url).pathname;
/** How long a run may take that a polling client has to find first. */
const RUN_SECONDS = 120;

/** Polls each second instead of each ten, so that tests are quick. */
const SETTINGS = {
  PREFECT_WORKER_QUERY_SECONDS: "1",
  PREFECT_WORKER_CANCELLATION_POLL_SECONDS: "1",
  PREFECT_RUNNER_POLL_FREQUENCY: "1",
  PREFECT_AGENT_QUERY_INTERVAL: "1",
  PREFECT_AGENT_PREFETCH_SECONDS: "1",
  NO_COLOR: "1",
  COLUMNS: "300",
};

interface FlowRun {
  id: string;
  name: string;
  state_type: string;
  state_name: string;
  run_count: number;
}

/** A server of ours and the client that speaks to it, through a proxy that remembers every call. */
export class Installation implements AsyncDisposable {
  readonly url: string;
  readonly #venv: string;
  readonly #env: Record<string, string>;
  readonly #exchanges: Exchange[];
  readonly #owned: AsyncDisposableStack;

  private constructor(
    venv: string,
    home: string,
    proxy: { url: string; exchanges: Exchange[] },
    owned: AsyncDisposableStack,
  ) {
    this.url = proxy.url;
    this.#venv = venv;
    this.#env = { ...SETTINGS, PREFECT_API_URL: proxy.url, PREFECT_HOME: home };
    this.#exchanges = proxy.exchanges;
    this.#owned = owned;
  }

  /**
   * @param variable names the environment variable that holds the folder of the virtual environment
   * @throws when it is not set: these tests are asked for by name, so that skipping them would say too much
   */
  static async start(variable: string, version: string): Promise<Installation> {
    const venv = Deno.env.get(variable);
    assert(
      venv,
      `${variable} has to name the folder of a virtual environment with prefect==${version}. Make one: ` +
        `python3 -m venv DIR && DIR/bin/pip install prefect==${version} (see .ci/run)`,
    );
    await using owned = new AsyncDisposableStack();
    const home = await Deno.makeTempDir({ prefix: "prefect" });
    owned.defer(() => Deno.remove(home, { recursive: true }));
    const server = owned.use(await startServer(":memory:"));
    const proxy = owned.use(recordingProxy(server.url));
    const installation = new Installation(venv, home, proxy, owned.move());
    const said = await installation.prefect("--version");
    assertEquals(said.trim(), version);
    return installation;
  }

  /** Runs a command of Prefect's command line, words apart by one space, which has to succeed; its output. */
  prefect(command: string): Promise<string> {
    return this.#run("prefect", command.split(" "));
  }

  /** Runs one of the scripts of this folder, which has to succeed; its output. */
  python(script: string, ...args: string[]): Promise<string> {
    return this.#run("python", [`${FOLDER}${script}`, ...args]);
  }

  async #run(program: string, args: string[]): Promise<string> {
    await using process = this.start(program, args);
    const { code, output } = await process.ended();
    assertEquals(code, 0, `${program} ${args.join(" ")}:\n${output}`);
    return output;
  }

  /** Starts a program that goes on; disposing it kills it with what it has started. */
  start(program: string, args: string[]): Running {
    return new Running(`${this.#venv}/bin/${program}`, args, this.#env);
  }

  /** Runs the script of this folder in the background. */
  startScript(script: string, ...args: string[]): Running {
    return this.start("python", [`${FOLDER}${script}`, ...args]);
  }

  /** Asks the server itself, without Prefect. */
  async ask<T>(path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    assert(answer.ok, `${path}: ${await answer.clone().text()}`);
    return await answer.json();
  }

  /** The newest run of the flow. */
  async run(flow: string): Promise<FlowRun | undefined> {
    const body = { flows: { name: { any_: [flow] } }, sort: "ID_DESC", limit: 1 };
    return (await this.ask<FlowRun[]>("/flow_runs/filter", body))[0];
  }

  /** Waits until the newest run of the flow has a state of that type; shows the outputs of `by` when it does not come. */
  async reaches(flow: string, type: string, by: Running): Promise<FlowRun> {
    let run: FlowRun | undefined;
    try {
      await until(async () => (run = await this.run(flow))?.state_type === type, RUN_SECONDS, 200);
    } catch (error) {
      throw new Error(`${flow} is ${run?.state_type} instead of ${type}:\n${by.output}`, { cause: error });
    }
    return run!;
  }

  /** What clients asked for and no endpoint answers, and whatever failed; each once. */
  unanswered(): string[] {
    const isOdd = ({ status, answer }: Exchange) =>
      status >= 500 || status === 405 || (status === 404 && answer === `{"detail":"Not Found"}`);
    const titles = this.#exchanges.filter(isOdd).map(({ method, path, isWebSocket }) =>
      isWebSocket ? `WebSocket ${path}` : `${method} ${path}`
    );
    return [...new Set(titles)].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
