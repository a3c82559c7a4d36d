import { until } from "../../e2e/started.ts";

/** Starting Python and importing Prefect takes two seconds on an idle machine; commands ask little beside. */
const COMMAND_SECONDS = 120;

/** A process with its output. It has {@link COMMAND_SECONDS} to end when its end is waited for. */
export class Running implements AsyncDisposable {
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #done: Promise<{ code: number }>;

  constructor(program: string, args: string[], env: Record<string, string>) {
    // Its own group, so that what it starts ends with it.
    this.#child = new Deno.Command(program, {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const reading = [this.#read(this.#child.stdout), this.#read(this.#child.stderr)];
    this.#done = Promise.all([this.#child.status, ...reading]).then(([status]) => status);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.output += text;
  }

  /** Waits until the output has that. */
  async says(pattern: RegExp): Promise<void> {
    await until(() => Promise.resolve(pattern.test(this.output)), COMMAND_SECONDS, 100);
  }

  /** The exit code and all output; killed when it does not end in time. */
  async ended(): Promise<{ code: number; output: string }> {
    const timer = setTimeout(() => this.#signalGroup("SIGKILL"), COMMAND_SECONDS * 1_000);
    const { code } = await this.#done;
    clearTimeout(timer);
    return { code, output: this.output };
  }

  /** Ends it as a user does with Ctrl-C. */
  async interrupt(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.ended();
  }

  #signalGroup(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.#child.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signalGroup("SIGKILL");
    await this.#done;
  }
}
