import { closestString } from "@std/text/closest-string";
import { ApiError } from "../client/http.ts";
import type { AgentContext } from "./context.ts";
import type { AgentOptions } from "./options.ts";

/** A pool or queue does not exist and may not be created, or cannot be. Exit code 1; one line for the user. */
export class TargetError extends Error {
  override readonly name = "TargetError";
}

/** The type of pools that agents create, as the reference's agents do. */
const POOL_TYPE = "prefect-agent";

/**
 * Makes sure that every pool and queue named by the options exists. What is created is said in one line, with the
 * nearest existing name: a typing error is seen at once.
 *
 * @throws TargetError, ApiError, or what `stop` was aborted with
 */
export async function ensureTargets(
  options: AgentOptions,
  context: AgentContext,
  stop: AbortSignal,
): Promise<void> {
  const { workPools, workQueues } = context.connection.api;
  const ensure = (target: Target) => ensureTarget(target, options.create, context, stop);
  for (const pool of options.pools) {
    await ensure({
      what: `work pool '${pool}'`,
      name: pool,
      get: () => workPools.get(pool),
      list: () => workPools.list(),
      create: () => workPools.create({ name: pool, type: POOL_TYPE }),
    });
    for (const queue of options.queues) {
      await ensure({
        what: `work queue '${queue}' in work pool '${pool}'`,
        name: queue,
        get: () => workQueues.get(pool, queue),
        list: () => workQueues.list(pool),
        create: () => workQueues.create(pool, { name: queue }),
      });
    }
  }
}

interface Target {
  /** For messages: `work pool 'x'`. */
  what: string;
  name: string;
  get: () => Promise<unknown>;
  list: () => Promise<{ name: string }[]>;
  create: () => Promise<unknown>;
}

async function ensureTarget(
  target: Target,
  mayCreate: boolean,
  { connection, say }: AgentContext,
  stop: AbortSignal,
): Promise<void> {
  if (await succeeds(connection.call(target.get, stop), 404)) return;
  const names = (await connection.call(target.list, stop)).map(({ name }) => name);
  const nearest = names.length > 0 ? closestString(target.name, names) : undefined;
  const hint = nearest === undefined ? "" : ` (nearest existing name: '${nearest}')`;
  if (!mayCreate) {
    throw new TargetError(`There is no ${target.what}${hint}; leave out --no-create to have it created.`);
  }
  // A conflict: somebody else was faster, and that is as good.
  if (await succeeds(connection.call(target.create, stop), 409)) say(`Created ${target.what}${hint}.`);
}

/** Whether the request was answered; false when it was refused with `status`. */
async function succeeds(request: Promise<unknown>, status: number): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === status) return false;
    throw error;
  }
}
