import type { Api } from "../../client/api.ts";
import { isRetryable } from "../../client/retry.ts";
import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import type { Input } from "../input.ts";
import { printJson } from "../screen/json.ts";
import { Progress } from "../screen/progress.ts";

const POLL_MS = 250;
/** A server that does not answer so simple a question at once is as good as none. */
const DEADLINE_MS = 5_000;

export const run: Run = async (input, context) => {
  const api = connect(context);
  await waitForAnswer(api, input, context);
  const [version, pools] = await Promise.all([
    api.serverVersion(),
    allPages((page) => api.workPools.list(page)),
  ]);
  const status = {
    api: context.apiUrl,
    version,
    work_pools: pools.length,
    paused_work_pools: pools.filter((pool) => pool.is_paused).length,
    slots_taken: pools.reduce((sum, pool) => sum + (pool.active_slots ?? 0), 0),
  };
  if (context.isJson) return printJson(status, context);
  const { line, style } = context.screen;
  line(style.green(`The server at ${context.apiUrl} answers.`));
  line(`    API version - ${version}`);
  line(`    work pools - ${status.work_pools} (${status.paused_work_pools} paused)`);
  line(`    slots taken - ${status.slots_taken}`);
};

/** @throws UnreachableError when there is no answer in time */
async function waitForAnswer(api: Api, input: Input, context: CommandContext): Promise<void> {
  const { clock } = context.world.deps;
  const patience = input.isSet("wait") ? (input.number("timeout") ?? Infinity) * 1_000 : 0;
  const deadline = clock.monotonic() + patience;
  using progress = new Progress(`Waiting for ${context.apiUrl}`, undefined, context);
  for (;;) {
    try {
      await api.health({ deadlineMs: DEADLINE_MS });
      return;
    } catch (error) {
      if (!isRetryable(error) || clock.monotonic() >= deadline) throw error;
    }
    progress.step(0);
    await clock.sleep(POLL_MS);
  }
}
