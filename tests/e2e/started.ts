/** Server and agent as real processes, as a user starts them. */
import { assert } from "@std/assert";
import { Api } from "../../src/client/api.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const { tasks }: { tasks: Record<string, { command: string }> } = JSON.parse(
  await Deno.readTextFile(`${ROOT}deno.json`),
);

/** The permissions that the project's own task gives to an entry file. */
function permissionsOf(entry: string): string[] {
  const task = Object.values(tasks).find(({ command }) => command.endsWith(` ${entry}`));
  assert(task, `no task starts ${entry}`);
  return task.command.split(" ").filter((word) => word.startsWith("--allow-"));
}

/** A compiled `sluice`, beside its `sluice-agent`, to be tested instead of the sources. */
const BINARY = Deno.env.get("SLUICE_BINARY");

/** What starts an entry file: Deno with its permissions, or the binary that was made of it. */
function commandOf(entry: string): [program: string, ...args: string[]] {
  if (!BINARY) {
    return [Deno.execPath(), "run", "--no-prompt", "--no-check", ...permissionsOf(entry), `${ROOT}${entry}`];
  }
  if (entry === "agent.ts") return [`${BINARY}-agent`];
  return entry === "main.ts" ? [BINARY, "server", "start"] : [BINARY];
}

const UNSET = {
  SLUICE_API_URL: "",
  PREFECT_API_URL: "",
  SLUICE_KV: "",
  SLUICE_PROFILES_PATH: "/nonexistent/profiles.json",
};

/** A process with its output. Disposing it ends it with SIGKILL, if it still runs, together with its group. */
export class Started implements AsyncDisposable {
  readonly pid: number;
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>[];
  readonly #changed = new Set<() => void>();
  #hasEnded = false;

  /** What the user of this machine has set is not seen by it. */
  constructor(entry: string, args: string[], env: Record<string, string> = {}) {
    const [program, ...start] = commandOf(entry);
    this.#child = new Deno.Command(program, {
      args: [...start, ...args],
      env: { ...UNSET, ...env, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    this.pid = this.#child.pid;
    this.#reading = [this.#read(this.#child.stdout), this.#read(this.#child.stderr)];
    this.#child.status.then(() => this.#hasEnded = true);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      for (const tell of this.#changed) tell();
    }
    for (const tell of this.#changed) tell();
  }

  /** The first match in the output, waiting for it. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      assert(!this.#hasEnded, `ended without saying ${pattern}:\n${this.output}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#changed.add(resolve);
      await promise;
      this.#changed.delete(resolve);
    }
  }

  /** Sends the signal and waits for the end; the exit code. */
  async end(signal: Deno.Signal): Promise<number> {
    if (!this.#hasEnded) this.#child.kill(signal);
    return await this.ended();
  }

  /** Waits for the end; the exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await Promise.all(this.#reading);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) await this.end("SIGKILL");
  }
}

export interface StartedServer extends AsyncDisposable {
  process: Started;
  /** Ends in `/api`. */
  url: string;
  api: Api;
}

export async function startServer(kv: string, args: string[] = []): Promise<StartedServer> {
  const process = new Started("main.ts", ["--port", "0", "--kv", kv, ...args]);
  const url = (await process.said(/API +(http\S+)/))[1]!;
  return { process, url, api: new Api({ url }), [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** An agent that says it has started. Its runs' folders lie below `folder`. */
export async function startAgent(server: StartedServer, folder: string, args: string[]): Promise<Started> {
  const agent = new Started("agent.ts", ["start", "--api", server.url, "--hide-welcome", ...args], {
    SLUICE_AGENT_DIR: folder,
  });
  await agent.said(/Agent started/);
  return agent;
}

/** Resolves when `condition` holds; asks every `everyMs`, and fails after `seconds`. */
export async function until(condition: () => Promise<boolean>, seconds = 20, everyMs = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!await condition()) {
    assert(Date.now() < deadline, "it did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Resident memory of a process in MB (Linux). */
export function residentMegabytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
