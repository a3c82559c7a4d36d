import { ApiError } from "../client/http.ts";
import type { Deps } from "../runtime/deps.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { Connection } from "./connection.ts";
import type { Turns } from "./turns.ts";
import { type Followed, followOutput } from "./follow_output.ts";

const LOGGER = "sluice.run";
/** INFO. Both streams share one file, in their true order, so a line's origin is not known. */
const LEVEL = 20;

/** Where the output of one run goes. */
export interface Shipment extends Followed {
  connection: Connection;
  deps: Deps;
  runId: string;
  /** Shared by all runs. */
  turns: Turns;
}

/**
 * Sends what the run writes to the server, in order, in batches, as fast as the server takes it. Ends when the
 * process has ended and everything was delivered, or when abandoned; a server that is away is waited for.
 */
export async function shipOutput(shipment: Shipment): Promise<void> {
  await followOutput(shipment, shipment.deps.clock, buildDelivery(shipment), shipment.turns);
}

function buildDelivery({ connection, deps, runId, abandoned }: Shipment): (lines: string[]) => Promise<void> {
  let last = 0;
  let isRefused = false;
  const record = (message: string) => {
    last = Math.max(last + 1, deps.clock.now()); // strictly increasing, so that a list by time keeps the order
    return { name: LOGGER, level: LEVEL, message, flow_run_id: runId, timestamp: formatInstant(last) };
  };
  return async (lines) => {
    const records = lines.map(record);
    try {
      await connection.call((signal) => connection.api.logs.create(records, { signal }), abandoned);
    } catch (error) {
      if (abandoned.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (!isRefused) deps.log.warn(`The server refuses output of run ${runId}: ${error.message}`);
      isRefused = true; // the rest is offered all the same, so that one bad line does not hide what follows
    }
  };
}
