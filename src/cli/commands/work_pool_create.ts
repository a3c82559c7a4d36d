import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { checkName } from "../names.ts";
import { printCreated } from "../screen/created.ts";
import { limitText } from "../screen/values.ts";

export const run: Run = async (input, context) => {
  const limit = input.number("concurrency-limit");
  const description = input.text("description");
  const pool = await connect(context).workPools.create({
    name: checkName(input.argument("NAME")),
    type: input.text("type"),
    is_paused: input.isSet("paused"),
    ...(limit === undefined ? {} : { concurrency_limit: limit }),
    ...(description === undefined ? {} : { description }),
  });
  printCreated({
    kind: pool.is_paused ? "paused work pool" : "work pool",
    value: pool,
    properties: [["name", `'${pool.name}'`], ["id", pool.id], [
      "concurrency limit",
      limitText(
        pool.concurrency_limit,
      ),
    ]],
    next: [
      ["Let an agent execute what is put into it:", ["agent", "start", "-p", pool.name]],
      pool.is_paused
        ? ["Resume it, so that runs are handed out:", ["work-pool", "resume", pool.name]]
        : ["Look at all its settings:", ["work-pool", "inspect", pool.name]],
    ],
  }, context);
};
