import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireAgent } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const id = await requireAgent(api, input.argument("AGENT"));
  await printObject("Agent", await api.agents.get(id), context);
};
