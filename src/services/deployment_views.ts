import { deploymentLimitKey, deploymentPolledKey, poolKey, queueKey, queuePolledKey } from "../kv/keys.ts";
import { readTexts } from "../kv/large_text.ts";
import { getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentRecord, Instant, JsonText, LargeText, ScheduleRecord } from "../schemas/records.ts";
import { newestFirst, readSchedules } from "./deployment_schedules.ts";
import { isRecent } from "./polls.ts";

/** A deployment as people see it. */
export interface DeploymentView {
  deployment: DeploymentRecord;
  parameters: JsonText;
  jobVariables: JsonText;
  parameterSchema: JsonText;
  pullSteps: JsonText | null;
  /** The most recently changed first. */
  schedules: ScheduleRecord[];
  /** Null when the deployment points nowhere, or at something that was deleted. */
  poolName: string | null;
  queueName: string | null;
  lastPolled: Instant | null;
  status: "READY" | "NOT_READY";
  /** Slots that its runs have taken, as far as it has a limit. */
  held: number;
}

/** Reads deployments together with what stands elsewhere. */
export class DeploymentViews {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  async of(deployment: DeploymentRecord): Promise<DeploymentView> {
    const [view] = await this.many([deployment]);
    return view!;
  }

  /** One for each, in their order. What several have in common is read once. */
  async many(deployments: readonly DeploymentRecord[]): Promise<DeploymentView[]> {
    const { kv } = this.#deps;
    const pools = idsOf(deployments, ({ pool }) => pool);
    const queues = idsOf(deployments, ({ queue }) => queue);
    const limited = deployments.filter(({ limit }) => limit !== null);
    const [texts, poolEntries, queueEntries, queuesPolled, polled, limits] = await Promise.all([
      readTexts(kv, deployments.flatMap(textsOf)),
      getMany(kv, pools.map(poolKey)),
      getMany(kv, queues.map(queueKey)),
      getMany(kv, queues.map(queuePolledKey)),
      getMany(kv, deployments.map(({ id }) => deploymentPolledKey(id))),
      getMany(kv, limited.map(({ id }) => deploymentLimitKey(id))),
    ]);
    const held = new Map(limited.map(({ id }, i) => [id, limits[i]?.value?.occ ?? 0]));
    const names = new Map(
      [...poolEntries, ...queueEntries].flatMap(({ value }) => value ? [[value.id, value.name]] : []),
    );
    const queuePolls = new Map(queues.map((id, i) => [id, queuesPolled[i]?.value ?? 0]));
    const now = this.#deps.clock.now();
    return deployments.map((deployment, i) => {
      const [
        parameters = "{}",
        jobVariables = "{}",
        parameterSchema = "{}",
        schedules = "[]",
        pullSteps = "[]",
      ] = texts.slice(i * TEXTS, (i + 1) * TEXTS);
      const { pool, queue } = deployment;
      const lastPolled = Math.max(polled[i]?.value ?? 0, queuePolls.get(queue ?? "") ?? 0) || null;
      return {
        deployment,
        parameters,
        jobVariables,
        parameterSchema,
        schedules: newestFirst(readSchedules(schedules)),
        pullSteps: deployment.pullSteps === null ? null : pullSteps,
        poolName: names.get(pool ?? "") ?? null,
        queueName: names.get(queue ?? "") ?? null,
        lastPolled,
        status: isRecent(lastPolled, now) ? "READY" : "NOT_READY",
        held: held.get(deployment.id) ?? 0,
      };
    });
  }
}

/** How many texts {@link textsOf} gives. */
const TEXTS = 5;

const textsOf = (deployment: DeploymentRecord): LargeText[] => [
  deployment.parameters,
  deployment.jobVariables,
  deployment.parameterSchema,
  deployment.schedules,
  deployment.pullSteps ?? "",
];

const idsOf = (
  deployments: readonly DeploymentRecord[],
  of: (deployment: DeploymentRecord) => string | null,
): string[] => [...new Set(deployments.flatMap((deployment) => of(deployment) ?? []))];
