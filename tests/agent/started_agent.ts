/** An agent inside the test's own process, with everything that it writes. */
import { agentMain } from "../../src/agent/main.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { FakeServer } from "./fake_server.ts";

/** Keeps an agent out of what the user of this machine has. */
export const ownFolders = (folder: string): Record<string, string> => ({
  SLUICE_AGENT_DIR: `${folder}/runs`,
  SLUICE_PROFILES_PATH: `${folder}/profiles.json`,
});

export class StartedAgent implements AsyncDisposable {
  readonly stop = new AbortController();
  readonly hasten = new AbortController();
  /** Where the runs' folders are. */
  readonly directory: string;
  readonly #folder = Deno.makeTempDirSync();
  /** The exit code. */
  readonly done: Promise<number>;
  out = "";
  /** What runs wrote, as the terminal got it. */
  streamed = "";
  /** Resolved when the terminal has taken what it got. */
  streaming: Promise<void> = Promise.resolve();
  err = "";

  constructor(server: FakeServer, args: string[], env: Record<string, string> = {}) {
    this.directory = `${this.#folder}/runs`;
    Deno.mkdirSync(this.directory);
    const flags = ["--hide-welcome", "--api", server.api, "--grace", "0", "--cancel-grace", "2"];
    this.done = agentMain(["start", ...flags, ...args], {
      env: { PATH: Deno.env.get("PATH") ?? "", ...ownFolders(this.#folder), ...env },
      deps: { clock: systemClock, random: systemRandom, ids: buildIds(systemClock, systemRandom) },
      host: "test-host",
      writeOut: (text) => this.out += text,
      streamOut: (text) => {
        this.streamed += text;
        return this.streaming;
      },
      writeErr: (line) => this.err += `${line}\n`,
      stop: this.stop.signal,
      hasten: this.hasten.signal,
      startEphemeral: () => Promise.reject(new Error("no server was named")),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    this.hasten.abort();
    await this.done;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Whether the process runs. One that has ended, but that nobody has asked for its exit code yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    if (Deno.build.os === "linux") return false;
  }
  return new Deno.Command("ps", { args: ["-p", String(pid)], stdout: "null" }).outputSync().success;
}
