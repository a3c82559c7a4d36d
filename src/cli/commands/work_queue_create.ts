import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { DEFAULT_POOL } from "../defaults.ts";
import { checkName } from "../names.ts";
import { printCreated } from "../screen/created.ts";
import { limitText } from "../screen/values.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const pool = input.text("pool") ?? DEFAULT_POOL;
  const limit = input.number("limit");
  const priority = input.number("priority");
  const request = api.workQueues.create(pool, {
    name: checkName(input.argument("NAME")),
    is_paused: input.isSet("paused"),
    ...(limit === undefined ? {} : { concurrency_limit: limit }),
    ...(priority === undefined ? {} : { priority }),
  });
  const queue = await requirePool(api, pool, request);
  printCreated({
    kind: queue.is_paused ? "paused work queue" : "work queue",
    value: queue,
    properties: [
      ["name", `'${queue.name}'`],
      ["work pool", `'${queue.work_pool_name}'`],
      ["id", queue.id],
      ["priority", String(queue.priority)],
      ["concurrency limit", limitText(queue.concurrency_limit)],
    ],
    next: [
      ["Let an agent execute what is put into it:", ["agent", "start", "-p", pool, "-q", queue.name]],
      ["See all queues of the pool in their order:", ["work-queue", "ls", "--pool", pool]],
    ],
  }, context);
};
