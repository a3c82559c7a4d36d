import type { Clock } from "../../runtime/clock.ts";
import { CliError } from "../errors.ts";

export interface ChildOptions {
  /** For messages: `server`. */
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** The line that says that the child is ready; its first group is what {@link Child.ready} resolves with. */
  readyLine: RegExp;
  /** Called with each line that it writes, once it is ready; what it wrote before comes then. */
  onLine: (line: string) => void;
  clock: Clock;
}

/** Each later signal follows after this long, until the child has ended: the last one is not refused. */
const SIGNALS: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGTERM", 3_000],
  ["SIGTERM", 25_000],
  ["SIGKILL", 5_000],
];

/**
 * Another process of this program. It leads a process group of its own, so that a Ctrl-C in the terminal reaches only
 * the one who started it, who then stops its children in order.
 */
export class Child {
  readonly name: string;
  /** Resolves when the child is ready; rejects when it has ended before. */
  readonly ready: Promise<string>;
  /** Resolves when the child has ended, with its exit code. */
  readonly ended: Promise<number>;
  readonly #process: Deno.ChildProcess;
  readonly #clock: Clock;
  #hasEnded = false;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    const [program = "", ...args] = options.command;
    this.#process = new Deno.Command(program, {
      args,
      env: options.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const ready = Promise.withResolvers<string>();
    let early: string[] | undefined = [];
    const onLine = (line: string) => {
      if (early === undefined) return options.onLine(line);
      early.push(line);
      const match = options.readyLine.exec(line);
      if (!match) return;
      early.forEach(options.onLine);
      early = undefined;
      ready.resolve(match[1] ?? match[0]);
    };
    const read = Promise.all([
      eachLine(this.#process.stdout, onLine),
      eachLine(this.#process.stderr, onLine),
    ]);
    this.ended = this.#process.status.then(async ({ code }) => {
      this.#hasEnded = true;
      await read;
      ready.reject(
        new CliError(`The ${this.name} did not start: ${early?.findLast(Boolean) ?? "no reason"}`),
      );
      return code;
    });
    this.ready = ready.promise;
    this.ready.catch(() => {}); // whoever waits for it is told; nobody has to
  }

  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** Ends the child, with growing insistence. `hasten` skips the first wait. */
  async stop(hasten: AbortSignal): Promise<void> {
    for (const [signal, patienceMs] of SIGNALS) {
      if (this.#hasEnded) break;
      this.#send(signal);
      await this.#endsWithin(patienceMs, signal === "SIGTERM" ? hasten : undefined);
    }
    await this.ended;
  }

  #send(signal: Deno.Signal): void {
    try {
      // A killed leader must not leave others of its group behind.
      Deno.kill(signal === "SIGKILL" ? -this.#process.pid : this.#process.pid, signal);
    } catch { /* it has ended meanwhile */ }
  }

  async #endsWithin(ms: number, hasten: AbortSignal | undefined): Promise<void> {
    const done = new AbortController();
    this.ended.then(() => done.abort());
    const enough = hasten && !hasten.aborted ? AbortSignal.any([done.signal, hasten]) : done.signal;
    await this.#clock.sleep(ms, enough);
  }
}

async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
}
