import type { Api } from "../../client/api.ts";
import type { WorkPool } from "../../schemas/work_pool.ts";
import { given } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { readJsonObject } from "../files.ts";
import type { Input } from "../input.ts";
import { checkName } from "../names.ts";
import { changeSettings } from "../profile_changes.ts";
import { printCreated } from "../screen/created.ts";
import { limitText } from "../screen/values.ts";

export const run: Run = async (input, context) => {
  const { pool, isNew } = await createOrOverwrite(connect(context), input);
  if (input.isSet("set-as-default")) {
    await changeSettings(input, context, { set: { PREFECT_DEFAULT_WORK_POOL_NAME: pool.name } });
    context.screen.note(`Work pool '${pool.name}' is where deployments go that name none.`);
  }
  printCreated({
    kind: `${pool.is_paused ? "paused " : ""}work pool with properties`,
    verb: isNew ? "Created" : "Overwrote",
    value: pool,
    properties: [
      ["name", `'${pool.name}'`],
      ["id", pool.id],
      ["concurrency limit", limitText(pool.concurrency_limit)],
    ],
    next: [
      ["Let an agent execute what is put into it:", ["agent", "start", "-p", pool.name]],
      pool.is_paused
        ? ["Resume it, so that runs are handed out:", ["work-pool", "resume", pool.name]]
        : ["Look at all its settings:", ["work-pool", "inspect", pool.name]],
    ],
  }, context);
};

async function createOrOverwrite(api: Api, input: Input): Promise<{ pool: WorkPool; isNew: boolean }> {
  const name = checkName(input.argument("NAME"));
  const template = input.text("base-job-template");
  const settings = {
    is_paused: input.isSet("paused"),
    ...given({
      concurrency_limit: input.number("concurrency-limit"),
      description: input.text("description"),
      base_job_template: template === undefined ? undefined : await readJsonObject(template),
    }),
  };
  if (input.isSet("overwrite")) {
    const [existing] = await api.workPools.list({ work_pools: { name: { any_: [name] } } });
    if (existing !== undefined) {
      await api.workPools.update(name, settings);
      return { pool: await api.workPools.get(name), isNew: false };
    }
  }
  return { pool: await api.workPools.create({ name, type: input.text("type"), ...settings }), isNew: true };
}
