/** A terminal with a shell in it, where lines are typed and keys pressed as a user does. Needs `script` of util-linux. */
import { assert } from "@std/assert";
import type { StartedServer } from "./started.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PROMPT = "ready> ";

export interface TerminalOptions {
  columns: number;
  rows: number;
  env: Record<string, string>;
}

/** `sluice` is the command line of this checkout, or the program that `SLUICE_BINARY` names. */
export class Terminal implements AsyncDisposable {
  readonly #shell: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #changed = new Set<() => void>();
  #output = "";
  #seen = 0;

  private constructor({ env }: TerminalOptions) {
    this.#shell = new Deno.Command("script", {
      args: ["-qfec", "sh -i", "/dev/null"],
      env: { TERM: "xterm-256color", SHELL: "/bin/sh", PS1: PROMPT, ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keyboard = this.#shell.stdin.getWriter();
    this.#reading = this.#read();
  }

  static async open(options: TerminalOptions): Promise<Terminal> {
    const terminal = new Terminal(options);
    await terminal.shows(PROMPT);
    const program = Deno.env.get("SLUICE_BINARY") ?? `${Deno.execPath()} run --no-check -A ${ROOT}cli.ts`;
    await terminal.run(`sluice() { ${program} "$@"; }`);
    await terminal.resize(options);
    return terminal;
  }

  async resize({ columns, rows }: Pick<TerminalOptions, "columns" | "rows">): Promise<void> {
    await this.run(`stty cols ${columns} rows ${rows}`);
  }

  async #read(): Promise<void> {
    for await (const text of this.#shell.stdout.pipeThrough(new TextDecoderStream())) {
      this.#output += text;
      for (const tell of this.#changed) tell();
    }
  }

  /** Types a line without waiting for what comes of it. */
  async type(line: string): Promise<void> {
    await this.press(`${line}\r`);
  }

  async press(keys: string): Promise<void> {
    await this.#keyboard.write(new TextEncoder().encode(keys));
  }

  /** Waits until the text is on the screen; everything since the last wait, its end included, without colours. */
  async shows(text: string): Promise<string> {
    const deadline = AbortSignal.timeout(30_000);
    for (;;) {
      const at = this.#output.indexOf(text, this.#seen);
      if (at >= 0) {
        const shown = this.#output.slice(this.#seen, at + text.length);
        this.#seen = at + text.length;
        return plain(shown);
      }
      assert(!deadline.aborted, `'${text}' did not appear:\n${this.#output.slice(this.#seen)}`);
      await this.#change(deadline);
    }
  }

  async #change(deadline: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#changed.add(resolve);
    deadline.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#changed.delete(resolve);
  }

  /** Types a line and waits for the next prompt; what was printed between the two. */
  async run(line: string): Promise<string> {
    await this.type(line);
    return await this.printed();
  }

  /** What was printed up to the next prompt, without the line that was typed. */
  async printed(): Promise<string> {
    const shown = await this.shows(PROMPT);
    return shown.slice(shown.indexOf("\n") + 1, -PROMPT.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.type("exit").catch(() => {});
    await this.#keyboard.close().catch(() => {});
    await this.#shell.status;
    await this.#reading;
  }
}

/** A terminal whose `sluice` talks to that server; what it keeps lies below `folder`. */
export async function openTerminal(
  server: StartedServer,
  folder: string,
  columns: number,
): Promise<Terminal> {
  const env = {
    SLUICE_API_URL: server.url,
    SLUICE_PROFILES_PATH: `${folder}/profiles.json`,
    SLUICE_AGENT_DIR: `${folder}/runs`,
  };
  return await Terminal.open({ columns, rows: 60, env });
}

/** Without colours and cursor movements, lines ended as everywhere. */
// deno-lint-ignore no-control-regex
const CODES = /\x1b\[[0-9;?]*[A-Za-z]/g;
const plain = (text: string): string => text.replace(CODES, "").replaceAll("\r\n", "\n").replaceAll("\r", "");
