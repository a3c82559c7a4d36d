import type { Deps } from "../runtime/deps.ts";
import type { Connection } from "./connection.ts";
import type { Env } from "./options.ts";
import type { Runner } from "./runner.ts";
import type { Turns } from "./turns.ts";
import type { Terminal } from "./terminal.ts";

/** What every part of a running agent is given. */
export interface AgentContext {
  connection: Connection;
  deps: Deps;
  runner: Runner;
  /** Tells the user one line, on standard output. */
  say: (line: string) => void;
  /** Whose turn it is to send output: what is in memory at once must not grow with the number of runs. */
  deliveries: Turns;
  /** Shows what runs write, for those that ask for it. */
  terminal: Terminal;
  /** Whether all runs ask for it (or none does); undefined: their jobs say. */
  streamOutput: boolean | undefined;
  /** What children inherit. */
  env: Env;
  /** Milliseconds between SIGTERM and SIGKILL. */
  cancelGraceMs: number;
  /** Aborts when stopping must not take long any more. */
  hasten: AbortSignal;
}
