import type { HttpOptions } from "../client/http.ts";
import type { Deps } from "../runtime/deps.ts";
import type { StopSignals } from "../runtime/process.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * A part of the program with a command line of its own: the server, the agent. Returns the exit code.
 *
 * `env` stands for the process's own environment.
 */
export type Main = (args: string[], env: Env) => Promise<number>;

/** The outside world of the command line, built by `cli.ts`. */
export interface CliWorld {
  env: Env;
  deps: Omit<Deps, "log">;
  /** How the user starts this program: stands in every "what to type next". */
  program: string;
  /** The words that start this program again as another process, without arguments; at least one. */
  self: readonly string[];
  /** Whether standard output is a terminal. */
  isTerminal: boolean;
  /** Whether standard error is a terminal. */
  isErrTerminal: boolean;
  /** Columns and rows of the terminal; undefined when there is none. */
  columns: () => number | undefined;
  rows: () => number | undefined;
  /** The system, for the places of the user's files. */
  os: typeof Deno.build.os;
  /** Shows text through the user's pager; false when there is none. Absent where nobody could leave it. */
  page?: (text: string) => Promise<boolean>;
  /** Writes text to standard output. Must not throw. */
  writeOut: (text: string) => void;
  /** Writes one line to standard error. Must not throw. */
  writeErr: (line: string) => void;
  /** Writes text to standard error as it is. Must not throw. */
  drawErr: (text: string) => void;
  /** Asks for a yes on the terminal; undefined when nobody can answer. */
  confirm: ((question: string) => boolean) | undefined;
  /** The stop signals from now on, instead of their default action. */
  listenForStop: () => StopSignals;
  serverMain: Main;
  agentMain: Main;
  /** How requests travel; `fetch` when absent. */
  fetch?: HttpOptions["fetch"];
}
