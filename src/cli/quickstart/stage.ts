import { cliMain } from "../main.ts";
import type { CommandContext } from "../context.ts";
import { CliError } from "../errors.ts";
import { commandLine } from "../screen/created.ts";
import type { CliWorld } from "../world.ts";
import { Child } from "./child.ts";

/** Where the tour is played: its processes, its folder, and the command line that it shows. */
export class Stage {
  readonly #context: CommandContext;
  readonly #stop: AbortSignal;
  /** In the order in which they were started. */
  readonly #children: Child[] = [];
  readonly #folder: string;
  #apiUrl = "";
  #scenes = 0;

  /** @param folder for everything that the processes write */
  constructor(context: CommandContext, folder: string, stop: AbortSignal) {
    this.#context = context;
    this.#folder = folder;
    this.#stop = stop;
  }

  get children(): readonly Child[] {
    return this.#children;
  }

  get apiUrl(): string {
    return this.#apiUrl;
  }

  /** Opens the next part of the tour. */
  heading(text: string): void {
    const { line, style } = this.#context.screen;
    line();
    line(style.bold(`${++this.#scenes}. ${text}`));
  }

  /** Starts the server and returns its address, once it listens. */
  async startServer(port: number): Promise<string> {
    this.#show(["server", "start", "--port", String(port)]);
    const place = [
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--kv",
      `${this.#folder}/sluice.sqlite3`,
      "--log-level",
      "warn",
    ];
    const server = this.#start("server", ["server", "start", ...place], / listens on (\S+)/);
    const address = await this.#orStopped(server.ready);
    this.#apiUrl = `${address}/api`;
    return address;
  }

  async startAgent(words: readonly string[]): Promise<void> {
    this.#show(words);
    const agent = this.#start("agent", [...words, "--api", this.#apiUrl], /^Agent started!.*/);
    await this.#orStopped(agent.ready);
  }

  /**
   * Shows a command, then carries it out.
   *
   * @param shown the words on the screen, where they are others
   * @throws CliError when it failed
   */
  async perform(words: readonly string[], shown: readonly string[] = words): Promise<void> {
    this.#show(shown);
    const code = await cliMain(["--api", this.#apiUrl, ...words], this.#quietWorld());
    this.#stop.throwIfAborted();
    if (code !== 0) {
      throw new CliError(`The quickstart ended early: '${shown.join(" ")}' gave exit code ${code}.`);
    }
  }

  /** Stops what was started, the last one first: the agent reports to a server that still listens. */
  async clear(hasten: AbortSignal): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop(hasten);
    await Deno.remove(this.#folder, { recursive: true });
  }

  #show(words: readonly string[]): void {
    const { screen: { line, style }, world } = this.#context;
    line(style.cyan(`$ ${commandLine(world.program, words)}`));
  }

  #start(name: string, args: readonly string[], readyLine: RegExp): Child {
    const { screen: { line, style }, world } = this.#context;
    const child = new Child({
      name,
      command: [...world.self, ...args],
      env: { SLUICE_AGENT_DIR: `${this.#folder}/runs`, SLUICE_LOG_FORMAT: "text" },
      readyLine,
      onLine: (text) => line(`${style.dim(`${name} │`)} ${text}`),
      clock: world.deps.clock,
    });
    this.#children.push(child);
    return child;
  }

  /** The signals belong to the tour: a command that it performs must neither take them nor comment on them. */
  #quietWorld(): CliWorld {
    const { world } = this.#context;
    const unlessStopped = (write: (text: string) => void) => (text: string) => {
      if (!this.#stop.aborted) write(text);
    };
    return {
      ...world,
      writeOut: unlessStopped(world.writeOut),
      writeErr: unlessStopped(world.writeErr),
      listenForStop: () => ({ stop: this.#stop, hasten: this.#stop, [Symbol.dispose]() {} }),
    };
  }

  async #orStopped<T>(promise: Promise<T>): Promise<T> {
    const over = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      const refuse = () => reject(this.#stop.reason);
      if (this.#stop.aborted) refuse();
      else this.#stop.addEventListener("abort", refuse, { signal: over.signal });
    });
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      over.abort();
    }
  }
}
