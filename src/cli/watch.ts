import type { CommandContext } from "./context.ts";

const EVERY_MS = 2_000;
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";

/** Shows lines again and again until Ctrl-C: over each other on a terminal, else whenever they have changed. */
export async function repeat(
  lines: () => Promise<readonly string[]>,
  context: CommandContext,
): Promise<number> {
  const { isTerminal, deps, writeOut } = context.world;
  using signals = context.world.listenForStop();
  let last = "";
  while (!signals.stop.aborted) {
    const text = (await lines()).join("\n");
    if (isTerminal) writeOut(`${CLEAR}${text}\n${context.screen.style.dim("Ctrl-C ends this.")}\n`);
    else if (text !== last) writeOut(`${text}\n`);
    last = text;
    await deps.clock.sleep(EVERY_MS, signals.stop);
  }
  context.screen.note("Stopped watching; the runs go on.");
  return 0;
}
