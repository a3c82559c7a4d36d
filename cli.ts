/** `sluice`: the command line, with server and agent inside. Everything but the outside world is in `src/cli/`. */
import { cliMain } from "./src/cli/main.ts";
import type { Main } from "./src/cli/world.ts";
import { systemClock } from "./src/runtime/clock.ts";
import { buildIds } from "./src/runtime/ids.ts";
import { drawStderr as drawErr, streamStdout, writeStderr, writeStdout } from "./src/runtime/log.ts";
import { showInPager } from "./src/runtime/pager.ts";
import { listenForStop } from "./src/runtime/process.ts";
import { systemRandom } from "./src/runtime/random.ts";

const env = Deno.env.toObject();
const deps = { clock: systemClock, random: systemRandom, ids: buildIds(systemClock, systemRandom) };
const output = { writeOut: writeStdout, writeErr: writeStderr };

/** What the tasks in deno.json give to this file. */
const PERMISSIONS = ["net", "env", "read", "write", "run", "sys"].map((name) => `--allow-${name}`);

function size(side: "columns" | "rows"): number | undefined {
  try {
    return Deno.consoleSize()[side] || undefined;
  } catch {
    return undefined; // no terminal
  }
}

/** How the user got here: an installed binary, npx without any Deno, or a task. */
function programName(): string {
  if (Deno.build.standalone) return "sluice";
  return env.npm_command === "exec" ? `npx -y deno@${Deno.version.deno} task cli` : "deno task cli";
}

const program = programName();

// Server and agent are loaded when they are asked for: `--help` needs neither.
const serverMain: Main = async (args, env) => {
  const { serverMain } = await import("./main.ts");
  return await serverMain(args, { env, ...output, command: `${program} server start` });
};
const agentMain: Main = async (args, env) => {
  const { agentMain } = await import("./src/agent/main.ts");
  const { stop, hasten } = listenForStop();
  const startEphemeral = async (stop: AbortSignal) => {
    const { startEphemeral } = await import("./main.ts");
    return await startEphemeral({ env, os: Deno.build.os }, stop);
  };
  return await agentMain(args, {
    env,
    deps,
    host: Deno.hostname(),
    ...output,
    streamOut: streamStdout,
    stop,
    hasten,
    startEphemeral,
  });
};

Deno.exit(
  await cliMain(Deno.args, {
    env,
    deps,
    program,
    self: Deno.build.standalone ? [Deno.execPath()] : [
      Deno.execPath(),
      "run",
      "--no-prompt",
      ...PERMISSIONS,
      decodeURIComponent(new URL(import.meta.url).pathname),
    ],
    isTerminal: Deno.stdout.isTerminal(),
    isErrTerminal: Deno.stderr.isTerminal(),
    columns: () => size("columns"),
    rows: () => size("rows"),
    os: Deno.build.os,
    ...output,
    drawErr,
    ...(Deno.stdin.isTerminal() ? { page: (text: string) => showInPager(text, env) } : {}),
    confirm: Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? confirm : undefined,
    listenForStop,
    serverMain,
    agentMain,
  }),
);
