import { CommandError } from "../schemas/command.ts";
import { createRunFolder, readExitCode, type RunFolder } from "./run_folder.ts";
import type { Exit, RunHandle, Runner, RunOrder } from "./runner.ts";
import { WRAPPER } from "./wrapper.ts";

/** Runs jobs as processes on this machine, each in a process group of its own, below `directory`. */
export function buildProcessRunner(directory: string): Runner {
  return {
    async prepare(order) {
      await requireDirectory(order.job.workingDir);
      const folder = await createRunFolder(directory, order.runId, {
        ...order.record,
        command: order.job.command,
      });
      const command = buildCommand(order, folder);
      return {
        outputFile: folder.output,
        start: () => start(command, folder),
        // What cannot be removed (a file of another user) stays behind: the run itself is over.
        [Symbol.asyncDispose]: () => Deno.remove(folder.path, { recursive: true }).catch(() => {}),
      };
    },
  };
}

async function requireDirectory(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const found = await Deno.stat(path).catch(() => undefined);
  if (!found?.isDirectory) {
    throw new CommandError(`The working directory '${path}' does not exist on the agent's machine.`);
  }
}

function buildCommand({ job, environment }: RunOrder, folder: RunFolder): Deno.Command {
  return new Deno.Command("sh", {
    args: ["-c", WRAPPER, "sluice-run", folder.output, folder.process, folder.exitCode, ...job.command],
    cwd: job.workingDir ?? folder.work,
    clearEnv: true,
    env: environment(folder.work),
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // A session and process group of its own, so that one signal reaches the whole tree, and a closed terminal none.
    detached: true,
  });
}

function start(command: Deno.Command, folder: RunFolder): RunHandle {
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch (cause) {
    throw new CommandError(startFailure(cause), { cause });
  }
  const signal = (name: Deno.Signal) => signalGroup(child.pid, name);
  return { pid: child.pid, done: waitForEnd(child, folder, signal), signal };
}

function startFailure(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return /E2BIG|Argument list too long|os error 7\b/.test(reason)
    ? "The parameters do not fit into a process's environment (about 128 KB a value): pass large data as a file."
    : `The process could not be started: ${reason}`;
}

/** What the run left running in its group ends with it: the slot is given back only when nothing of the run is left. */
async function waitForEnd(
  child: Deno.ChildProcess,
  folder: RunFolder,
  signal: (name: Deno.Signal) => void,
): Promise<Exit> {
  const status = await child.status;
  signal("SIGKILL");
  const code = await readExitCode(folder).catch(() => undefined);
  if (code === undefined && status.signal !== null) return { kind: "signal", signal: status.signal };
  return exitOf(code ?? status.code);
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

/** A shell reports a signal as 128 + its number; other codes above 128 are a program's own. */
export function exitOf(code: number): Exit {
  const signal = SIGNALS[code - 128];
  return signal === undefined ? { kind: "code", code } : { kind: "signal", signal };
}

function signalGroup(leader: number, name: Deno.Signal): void {
  try {
    Deno.kill(-leader, name);
  } catch (error) {
    // Nobody left in the group, or only what is no longer ours.
    const isOver = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied;
    if (!isOver) throw error;
  }
}
