import type { FlowRun } from "../../schemas/flow_run.ts";
import type { Log } from "../../schemas/log.ts";
import { TERMINAL_TYPES } from "../../schemas/records.ts";
import type { CommandContext } from "../context.ts";
import type { StyleName } from "./style.ts";
import { clockTime, duration } from "./times.ts";
import { stateCell } from "./values.ts";

/** Where a followed run appears, line by line. */
export interface RunDisplay {
  /** A state that was shown already is not shown again. */
  state: (flowRun: FlowRun) => void;
  log: (log: Log) => void;
}

/** With JSON on standard output, what is followed goes beside it. */
export function buildDisplay({ screen, isJson, isVerbose }: CommandContext): RunDisplay {
  const { style } = screen;
  const line = isJson ? screen.note : screen.line;
  const time = isVerbose ? (text: string) => text : clockTime;
  let last = "";
  return {
    state(flowRun) {
      const { state } = flowRun;
      if (state === null || state.id === last) return;
      last = state.id;
      line(`${style.dim(time(state.timestamp))} ${describeState(flowRun, style)}`);
    },
    log({ timestamp, message }) {
      line(`${style.dim(`${time(timestamp)} │`)} ${message}`);
    },
  };
}

function describeState(
  { state, total_run_time: seconds, start_time: started }: FlowRun,
  style: Record<StyleName, (text: string) => string>,
): string {
  if (state === null) return "";
  const cell = stateCell(state.name, state.type);
  const name = typeof cell === "string" ? cell : style[cell.style](cell.text);
  if (!TERMINAL_TYPES.has(state.type)) return name;
  const took = started === null ? "" : ` after ${duration(seconds)}`;
  const why = state.type === "COMPLETED" ? "" : firstLine(state.message);
  return `${name}${took}${why === "" ? "" : `: ${why}`}`;
}

const firstLine = (text: string | null): string => (text ?? "").split("\n", 1)[0] ?? "";
