import type { Run } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { CliError } from "../errors.ts";
import type { Input } from "../input.ts";
import { Stage } from "../quickstart/stage.ts";
import { playTour, printFarewell, printInvitation } from "../quickstart/tour.ts";

/** Exit code 0 when the whole tour was played; whatever happens, nothing that it started is left behind. */
export const run: Run = async (input, context) => {
  using signals = context.world.listenForStop();
  const folder = await Deno.makeTempDir({ prefix: "sluice-quickstart-" });
  const stage = new Stage(context, folder, signals.stop);
  try {
    await play(stage, input, context, signals.stop);
    return 0;
  } catch (error) {
    if (!signals.stop.aborted) throw error;
    context.screen.note("Stopped before the end.");
    return 1;
  } finally {
    if (stage.children.some(({ isRunning }) => isRunning)) context.screen.line("Stopping agent and server…");
    await stage.clear(signals.hasten);
  }
};

async function play(stage: Stage, input: Input, context: CommandContext, stop: AbortSignal): Promise<void> {
  await playTour(stage, input.number("port") ?? 4200, context);
  if (input.isSet("once")) return printFarewell(context);
  printInvitation(stage.apiUrl, context);
  const ends = stage.children.map(async ({ name, ended }) => {
    const code = await ended;
    if (!stop.aborted) throw new CliError(`The ${name} ended by itself with exit code ${code}.`);
  });
  await Promise.race([stopped(stop), ...ends]);
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
}
