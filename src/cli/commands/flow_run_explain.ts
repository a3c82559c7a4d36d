import type { SlotHolder } from "../../schemas/explanation.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { timeText } from "../screen/times.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id, name } = await requireFlowRun(api, input.argument("RUN"));
  const explanation = await api.flowRuns.explain(id);
  if (context.isJson) return printJson(explanation, context);
  const { line, style } = context.screen;
  const time = timeText(context);
  const next = explanation.startable ? ": nothing holds it up, the next agent that asks gets it" : "";
  line(`Flow run '${name}' is ${explanation.state_name}${next}.`);
  for (const { message, holders } of explanation.reasons) {
    line(`  - ${message}`);
    for (const holder of holders) line(style.dim(`      ${describeHolder(holder, time)}`));
  }
};

function describeHolder(
  { name, state_name: state, since, agent, host }: SlotHolder,
  time: (text: string) => string,
) {
  const where = agent === null ? "" : ` by agent '${agent}'${host === null ? "" : ` on ${host}`}`;
  return `'${name}' (${state}) since ${time(since)}${where}`;
}
