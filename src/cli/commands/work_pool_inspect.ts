import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { describe } from "../screen/values.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  const pool = await requirePool(api, name, api.workPools.get(name));
  if (context.isJson) return printJson(pool, context);
  const now = context.world.deps.clock.now();
  for (const line of describe("WorkPool", pool, now)) context.screen.line(line);
};
