import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { buildProcessRunner, exitOf } from "../../src/agent/process_runner.ts";
import { runsDirectory } from "../../src/agent/run_folder.ts";
import type { PreparedRun, RunHandle } from "../../src/agent/runner.ts";
import { CommandError } from "../../src/schemas/command.ts";
import { isAlive } from "./started_agent.ts";

type Ready = { prepared: PreparedRun; output: () => string; folder: () => string };

async function withRun(
  command: string[],
  run: (ready: Ready) => Promise<void>,
  options: { workingDir?: string; env?: Record<string, string> } = {},
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const { workingDir, env } = options;
  try {
    const prepared = await buildProcessRunner(directory).prepare({
      job: {
        command,
        env: {},
        workingDir,
        name: undefined,
        labels: {},
        timeoutSeconds: undefined,
        streamOutput: undefined,
        reportsRunning: false,
      },
      runId: "run",
      environment: () => env ?? { PATH: "/usr/bin:/bin" },
      record: { token: "t" },
    });
    const output = () => Deno.readTextFileSync(prepared.outputFile);
    await run({ prepared, output, folder: () => prepared.outputFile.replace(/\/output$/, "") });
    await prepared[Symbol.asyncDispose]();
    assertEquals([...Deno.readDirSync(directory)], []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Resolves with the output once it has a line; the process is running then. */
async function firstLine(output: () => string): Promise<string> {
  while (!output().includes("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  return output().split("\n")[0]!;
}

const sh = (script: string) => ["sh", "-c", script];

Deno.test("buildProcessRunner() writes output, exit code and record as files, and removes them", () =>
  withRun(sh("echo out; echo err >&2; exit 3"), async ({ prepared, output, folder }) => {
    const handle = prepared.start();
    assertEquals(await handle.done, { kind: "code", code: 3 });
    assertEquals(output(), "out\nerr\n");
    assertEquals(Deno.readTextFileSync(`${folder()}/exit_code`), "3\n");
    assertStringIncludes(Deno.readTextFileSync(`${folder()}/process`), String(handle.pid));
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder()}/run.json`)).token, "t");
    assertEquals(Deno.statSync(folder()).mode! & 0o077, 0);
  }));

Deno.test("buildProcessRunner() runs programs, never the shell's own words", async () => {
  await withRun(["exit", "0"], async ({ prepared, output }) => {
    assertEquals(await prepared.start().done, { kind: "code", code: 127 });
    assertStringIncludes(output(), "exit: not found");
  });
  await withRun(["printf", "%s|", "a b", "", "$HOME", "*", "'\"\\", "-x"], async ({ prepared, output }) => {
    await prepared.start().done;
    assertEquals(output(), "a b||$HOME|*|'\"\\|-x|");
  });
});

Deno.test("buildProcessRunner() tells which signal ended a process, and keeps the shell's remarks out of the output", async () => {
  await withRun(sh("kill -SEGV $$"), async ({ prepared, output }) => {
    assertEquals([await prepared.start().done, output()], [{ kind: "signal", signal: "SIGSEGV" }, ""]);
  });
  await withRun(sh("echo up; exec sleep 60"), async ({ prepared, output, folder }) => {
    const handle = prepared.start();
    await firstLine(output);
    handle.signal("SIGTERM");
    assertEquals(await handle.done, { kind: "signal", signal: "SIGTERM" });
    assertEquals(Deno.readTextFileSync(`${folder()}/exit_code`), "143\n");
  });
  await withRun(sh("echo up; exec sleep 60"), async ({ prepared, output }) => {
    const handle = prepared.start();
    await firstLine(output);
    handle.signal("SIGKILL");
    assertEquals(await handle.done, { kind: "signal", signal: "SIGKILL" });
    handle.signal("SIGTERM"); // to nobody
  });
});

Deno.test("buildProcessRunner() lets a process clean up at SIGTERM, with its own exit code", () =>
  withRun(sh("trap 'echo bye; exit 7' TERM; echo up; sleep 60 & wait"), async ({ prepared, output }) => {
    const handle = prepared.start();
    await firstLine(output);
    handle.signal("SIGTERM");
    assertEquals(await handle.done, { kind: "code", code: 7 });
    assertEquals(output(), "up\nbye\n");
  }));

Deno.test("buildProcessRunner() reaches grandchildren with signals, and leaves none behind at the end", async () => {
  const ended = async (script: string, end: (handle: RunHandle) => void) => {
    await withRun(sh(script), async ({ prepared, output }) => {
      const handle = prepared.start();
      const grandchild = Number(await firstLine(output));
      end(handle);
      await handle.done;
      const deadline = Date.now() + 2000;
      while (isAlive(grandchild) && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert(!isAlive(grandchild));
    });
  };
  await ended("sleep 60 & echo $!; wait", (handle) => handle.signal("SIGKILL"));
  await ended(`sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & sleep 0.2`, () => {});
});

Deno.test("buildProcessRunner() gives the child this environment, its own folder or the one asked for", async () => {
  await withRun(["env"], async ({ prepared, output }) => {
    await prepared.start().done;
    assertEquals(output().split("\n").filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line)).sort(), [
      "",
      "A=1",
      "PATH=/usr/bin:/bin",
    ]);
  }, { env: { PATH: "/usr/bin:/bin", A: "1" } });
  await withRun(["pwd"], async ({ prepared, output, folder }) => {
    await prepared.start().done;
    assertEquals(output(), `${folder()}/work\n`);
  });
  await withRun(["pwd"], async ({ prepared, output }) => {
    await prepared.start().done;
    assertEquals(output(), "/\n");
  }, { workingDir: "/" });
});

Deno.test("buildProcessRunner() says why a process cannot be started", async () => {
  await assertRejects(
    () => withRun(["true"], () => Promise.resolve(), { workingDir: "/no/such" }),
    CommandError,
    "/no/such",
  );
  const env = { PATH: "/usr/bin:/bin", BIG: "x".repeat(200_000) };
  await withRun(["true"], ({ prepared }) => {
    assertStringIncludes(assertThrows(() => prepared.start(), CommandError).message, "128 KB");
    return Promise.resolve();
  }, { env });
});

Deno.test("exitOf() reads 128 + signal as that signal, other codes as codes", () => {
  assertEquals(exitOf(0), { kind: "code", code: 0 });
  assertEquals(exitOf(137), { kind: "signal", signal: "SIGKILL" });
  assertEquals(exitOf(128), { kind: "code", code: 128 });
  assertEquals(exitOf(255), { kind: "code", code: 255 });
});

Deno.test("runsDirectory() is the same after a restart", () => {
  assertEquals(runsDirectory({ SLUICE_AGENT_DIR: "/x", HOME: "/h" }), "/x");
  assertEquals(runsDirectory({ XDG_STATE_HOME: "/s", HOME: "/h" }), "/s/sluice/runs");
  assertEquals(runsDirectory({ HOME: "/h" }), "/h/.local/state/sluice/runs");
});
