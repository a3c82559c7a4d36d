/** How a run is executed. Today as a process on this machine; the agent's loops know only this interface. */
import type { Job } from "./job.ts";

/** How a process ended: by itself with a code, or by a signal (`SIGKILL`). */
export type Exit = { kind: "code"; code: number } | { kind: "signal"; signal: string };

/** What the runner needs besides the job itself. */
export interface RunOrder {
  job: Job;
  /** Names the run's folder; it need not be unique. */
  runId: string;
  /** The whole environment, once the run's own folder is known. */
  environment: (workFolder: string) => Record<string, string>;
  /** Kept beside the process, for an agent that comes after this one. */
  record: Readonly<Record<string, unknown>>;
}

export interface Runner {
  /**
   * Gets everything ready, so that {@link PreparedRun.start} has nothing left to do but start.
   *
   * @throws CommandError when the job cannot run here (no such working directory)
   */
  prepare(order: RunOrder): Promise<PreparedRun>;
}

/** Disposing removes everything that belongs to the run; its process must have ended, or never started. */
export interface PreparedRun extends AsyncDisposable {
  /** The file that takes all output, in the order in which it was written. Exists from the beginning. */
  readonly outputFile: string;
  /**
   * Starts the process tree. Called at most once.
   *
   * @throws CommandError when the process cannot be started
   */
  start(): RunHandle;
}

export interface RunHandle {
  readonly pid: number;
  /** Resolves once the whole process tree is gone. Never rejects. */
  readonly done: Promise<Exit>;
  /** Sends a signal to the whole process tree; does nothing when it has ended. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
}
