import type { Instant } from "../../schemas/records.ts";
import { formatInstant } from "../../schemas/wire.ts";
import type { CommandContext } from "../context.ts";
import { printNext } from "../screen/created.ts";
import type { Stage } from "./stage.ts";

const POOL = "my-pool";
/** Where the example is, also inside a compiled binary. */
const EXAMPLE = decodeURIComponent(new URL("../../../examples/sluice.yaml", import.meta.url).pathname);

/** Everything once, in the order in which a new user would do it. @throws CliError when a part fails */
export async function playTour(stage: Stage, port: number, context: CommandContext): Promise<void> {
  const { deps: { clock } } = context.world;
  stage.heading("A server. It keeps all state in one file.");
  await stage.startServer(port);

  stage.heading("A work pool that lets 3 runs be at work at once, with a queue for what is urgent.");
  await stage.perform(["work-pool", "create", POOL, "--concurrency-limit", "3"]);
  await stage.perform(["work-queue", "create", "high", "--pool", POOL, "--priority", "1", "--limit", "1"]);

  stage.heading("Deployments: what there is to run.");
  await stage.perform(["deployment", "apply", EXAMPLE], ["deployment", "apply", "examples/sluice.yaml"]);

  stage.heading("An agent, which executes what the pool hands out.");
  await stage.startAgent(["agent", "start", "-p", POOL, "--hide-welcome"]);

  stage.heading("Three runs.");
  for (const words of runsOn(clock.now())) {
    await stage.perform(["deployment", "run", ...words, "--watch"]);
  }

  stage.heading("All slots of the pool are free again.");
  await stage.perform(["work-pool", "ls"]);
}

const DAY_MICROSECONDS = 86_400 * 1e6;

function runsOn(now: Instant): string[][] {
  const day = (instant: Instant) => `day=${formatInstant(instant).slice(0, 10)}`;
  return [
    ["etl/nightly", "--param", day(now - DAY_MICROSECONDS)],
    ["etl/nightly", "--param", day(now)],
    ["etl/long", "--param", "seconds=3"],
  ];
}

/** What to type while server and agent stay up. */
export function printInvitation(apiUrl: string, context: CommandContext): void {
  const { line, style } = context.screen;
  const isDefault = apiUrl === context.apiUrl;
  const api = isDefault ? [] : ["--api", apiUrl];
  line();
  line(style.bold(`Server and agent are up at ${apiUrl.replace(/\/api$/, "")} until you press Ctrl-C.`));
  line("In another terminal, in this folder:");
  printNext([
    ["See a run fail, with the reason:", ["deployment", "run", "etl/broken", "--watch", ...api]],
    ["Start a long one, then cancel it:", ["deployment", "run", "etl/long", ...api]],
    ["See all runs:", ["flow-run", "ls", ...api]],
    ["Hold everything back:", ["work-pool", "pause", POOL, ...api]],
    ["And all there is:", ["--help"]],
  ], context);
  line();
}

/** What to type after a tour that ended by itself. */
export function printFarewell(context: CommandContext): void {
  printNext([
    ["Keep a server:", ["server", "start"]],
    ["Take the tour again, and look around in it:", ["quickstart"]],
    ["See all there is:", ["--help"]],
  ], context);
  context.screen.line();
}
