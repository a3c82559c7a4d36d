import type { FlowRunSlotSummary } from "../schemas/concurrency_status.ts";
import type { CommandContext } from "./context.ts";
import { idColumn, printTable } from "./screen/table.ts";
import { duration } from "./screen/times.ts";
import { stateCell } from "./screen/values.ts";

type Holder = FlowRunSlotSummary & { queue: string };

/** The runs that hold slots, and for how long they have been in their state. */
export async function printSlots(
  title: string,
  holders: readonly Holder[],
  { screen }: CommandContext,
): Promise<void> {
  await printTable({
    title,
    empty: "No run holds a slot.",
    columns: [
      { header: "Flow run", style: "green", min: 14 },
      { header: "Work queue" },
      { header: "State", min: 10 },
      { header: "Since", align: "right" },
      idColumn("ID"),
    ],
    rows: holders.map((run) => [
      run.name,
      run.queue,
      stateCell(run.state_name ?? "None", run.state_type ?? ""),
      run.time_in_current_state === null ? "" : duration(run.time_in_current_state),
      run.id,
    ]),
  }, screen);
}
