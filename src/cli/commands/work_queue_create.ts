import { given } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { DEFAULT_POOL } from "../defaults.ts";
import { checkName } from "../names.ts";
import { printCreated } from "../screen/created.ts";
import { limitText } from "../screen/values.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const body = {
    name: checkName(input.argument("NAME")),
    is_paused: input.isSet("paused"),
    ...given({
      concurrency_limit: input.number("limit"),
      priority: input.number("priority"),
      description: input.text("description"),
    }),
  };
  const reference = input.text("pool") ?? DEFAULT_POOL;
  const queue = reference === DEFAULT_POOL
    ? await api.workQueues.createAlone(body)
    : await requirePool(api, reference, (name) => api.workQueues.create(name, body));
  const { work_pool_name: pool } = queue;
  printCreated({
    kind: queue.is_paused ? "paused work queue with properties" : "work queue with properties",
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
