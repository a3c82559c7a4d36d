import type { Exit } from "./runner.ts";

/** Why the agent ended a run before it ended by itself. */
export type EndReason =
  /** A user cancelled it. */
  | "cancel"
  /** Its claim token is not current any more: the run belongs to somebody else, nothing is reported. */
  | "forget"
  /** It ran longer than its `timeout_seconds`. */
  | "timeout"
  /** The agent itself is stopping. */
  | "agent_stop";

/** The last state to report of a run. */
export interface FinalState {
  type: "COMPLETED" | "FAILED" | "CRASHED" | "CANCELLED";
  name?: string;
  message: string;
}

/** What is known when a process has ended. */
export interface Ending {
  exit: Exit;
  /** Undefined when the process ended by itself. */
  reason: Exclude<EndReason, "forget"> | undefined;
  /** The last lines that it wrote. */
  lastLines: readonly string[];
  timeoutSeconds: number | undefined;
}

/** The state that says how the run ended; the last lines of output stand in the message unless all went well. */
export function finalState({ exit, reason, lastLines, timeoutSeconds }: Ending): FinalState {
  const told = (what: string) => [what, ...lastLines].join("\n");
  switch (reason) {
    case "cancel":
      return { type: "CANCELLED", message: `Cancelled; the process has ended (${describeExit(exit)}).` };
    case "timeout":
      return {
        type: "FAILED",
        name: "TimedOut",
        message: told(`Took longer than timeout_seconds = ${timeoutSeconds}.`),
      };
    case "agent_stop":
      return { type: "CRASHED", message: told("The agent was stopped while the run was going on.") };
  }
  if (exit.kind === "signal") {
    return { type: "CRASHED", message: told(`The process was ended by ${exit.signal}.`) };
  }
  if (exit.code === 0) return { type: "COMPLETED", message: "The process ended with exit code 0." };
  return { type: "FAILED", message: told(`exit code ${exit.code}`) };
}

/** `exit code 3`, `SIGKILL`. */
export function describeExit(exit: Exit): string {
  return exit.kind === "code" ? `exit code ${exit.code}` : exit.signal;
}
