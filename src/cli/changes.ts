/** Writing one thing about an object that the user named. */
import type { z } from "zod";
import type { RemovalQuery } from "../schemas/removal.ts";
import type { WorkPoolUpdate } from "../schemas/work_pool.ts";
import type { WorkQueueUpdate } from "../schemas/work_queue.ts";
import { type CommandContext, connect } from "./context.ts";
import { DEFAULT_POOL } from "./defaults.ts";
import { UsageError } from "./errors.ts";
import type { Input } from "./input.ts";
import { parseWholeNumber } from "./commander.ts";
import { type QueuePlace, requirePool, requireQueue } from "./targets.ts";

/** Changes the pool NAME. @returns its name */
export async function changePool(
  input: Input,
  context: CommandContext,
  change: z.input<typeof WorkPoolUpdate>,
): Promise<string> {
  const api = connect(context);
  return await requirePool(api, input.argument("NAME"), async (name) => {
    await api.workPools.update(name, change);
    return name;
  });
}

/** Changes the queue NAME of `--pool`. @returns where it is */
export async function changeQueue(
  input: Input,
  context: CommandContext,
  change: z.input<typeof WorkQueueUpdate>,
): Promise<QueuePlace> {
  const api = connect(context);
  return await requireQueue(api, placeOf(input), async (place) => {
    await api.workQueues.update(place.pool, place.name, change);
    return place;
  });
}

/** The queue that the user named. */
export const placeOf = (input: Input): QueuePlace => ({
  pool: input.text("pool") ?? DEFAULT_POOL,
  name: input.argument("NAME"),
});

/** What becomes of what uses the thing that is deleted. @throws UsageError */
export function removalOf(input: Input): RemovalQuery {
  const moveTo = input.text("move-to");
  const isCancelled = input.text("cascade") === "cancel";
  if (isCancelled && moveTo !== undefined) throw new UsageError("Give --cascade or --move-to, not both.");
  return {
    ...(isCancelled ? { cascade: "cancel" } : {}),
    ...(moveTo === undefined ? {} : { move_to: moveTo }),
  };
}

/** The argument LIMIT. @throws UsageError */
export function limitOf(input: Input): number {
  const text = input.argument("LIMIT");
  const limit = parseWholeNumber(text, 0);
  if (limit !== undefined) return limit;
  throw new UsageError(
    `A limit is a whole number of 0 or more, not '${text}'; clear-concurrency-limit takes it away.`,
  );
}

/** The settings that were given; what is undefined is left out. */
export function given<T extends Record<string, unknown>>(
  settings: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
