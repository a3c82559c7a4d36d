/**
 * The folder of one run:
 *
 * - `run.json`: which run this is, its token, its command; written before the process starts
 * - `process`: the process id (see `wrapper.ts`)
 * - `output`: everything the run wrote
 * - `exit_code`: there once the run has ended
 * - `work/`: the run's own working directory
 */
export interface RunFolder {
  path: string;
  record: string;
  process: string;
  output: string;
  exitCode: string;
  work: string;
}

/**
 * Where the folders of all runs live: `SLUICE_AGENT_DIR`, else the user's state directory. The same after a restart.
 */
export function runsDirectory(env: Readonly<Record<string, string | undefined>>): string {
  if (env.SLUICE_AGENT_DIR) return env.SLUICE_AGENT_DIR;
  const state = env.XDG_STATE_HOME ||
    (env.HOME ? `${env.HOME}/.local/state` : `${env.TMPDIR || "/tmp"}/state`);
  return `${state}/sluice/runs`;
}

/** Makes a fresh folder that only this user can read (`record` holds the claim token). */
export async function createRunFolder(directory: string, runId: string, record: unknown): Promise<RunFolder> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const path = await Deno.makeTempDir({ dir: directory, prefix: `${runId}-` });
  const folder: RunFolder = {
    path,
    record: `${path}/run.json`,
    process: `${path}/process`,
    output: `${path}/output`,
    exitCode: `${path}/exit_code`,
    work: `${path}/work`,
  };
  await Deno.mkdir(folder.work);
  await Deno.writeTextFile(folder.record, JSON.stringify(record, null, 2));
  await Deno.writeTextFile(folder.output, "");
  return folder;
}

/** The exit code, or undefined when none was written: the wrapper itself was killed. */
export async function readExitCode(folder: RunFolder): Promise<number | undefined> {
  try {
    return Number(await Deno.readTextFile(folder.exitCode));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
