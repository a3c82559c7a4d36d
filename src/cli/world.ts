import type { HttpOptions } from "../client/http.ts";
import type { Deps } from "../runtime/deps.ts";
import type { StopSignals } from "../runtime/process.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** A part of the program with a command line of its own: the server, the agent. Returns the exit code. */
export type Main = (args: string[]) => Promise<number>;

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
  /** Columns of the terminal; undefined when there is none. */
  columns: () => number | undefined;
  /** Writes text to standard output. Must not throw. */
  writeOut: (text: string) => void;
  /** Writes one line to standard error. Must not throw. */
  writeErr: (line: string) => void;
  /** Asks for a yes on the terminal; undefined when nobody can answer. */
  confirm: ((question: string) => boolean) | undefined;
  /** The stop signals from now on, instead of their default action. */
  listenForStop: () => StopSignals;
  serverMain: Main;
  agentMain: Main;
  /** How requests travel; `fetch` when absent. */
  fetch?: HttpOptions["fetch"];
}
