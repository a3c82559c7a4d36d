import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { hashKey } from "../kv/hash.ts";
import { deploymentKey, deploymentNameKey, deploymentOrderKey, flowKey, schedulingKey } from "../kv/keys.ts";
import { readText } from "../kv/large_text.ts";
import { type Entry, get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentCreate, DeploymentUpdate } from "../schemas/deployment.ts";
import type { CollisionStrategy, DeploymentRecord, FlowRecord, ScheduleRecord } from "../schemas/records.ts";
import type { DeploymentScheduleUpdate } from "../schemas/schedule.ts";
import { DeploymentChecks } from "./deployment_checks.ts";
import { deleteDeployment, DeploymentDraft, withLabels } from "./deployment_draft.ts";
import type { DeploymentLimits } from "./deployment_limits.ts";
import { readSchedules, ScheduleWriter } from "./deployment_schedules.ts";
import { type DeploymentView, DeploymentViews } from "./deployment_views.ts";
import { DeploymentWriter } from "./deployment_writer.ts";
import type { Flows } from "./flows.ts";
import type { ScheduleChanges } from "./schedule_changes.ts";
import type { Variables } from "./variables.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

export type { DeploymentView } from "./deployment_views.ts";

type DeploymentEntry = Entry<DeploymentRecord> & { value: DeploymentRecord };

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

export class Deployments {
  /** What parameters and job variables have to fit, for runs too. */
  readonly checks: DeploymentChecks;
  readonly #deps: ServerDeps;
  readonly #flows: Flows;
  readonly #limits: DeploymentLimits;
  readonly #scheduleChanges: ScheduleChanges;
  readonly #views: DeploymentViews;
  readonly #writer: DeploymentWriter;

  constructor(
    deps: ServerDeps,
    { flows, limits, pools, queues, scheduleChanges, variables }: {
      flows: Flows;
      limits: DeploymentLimits;
      pools: WorkPools;
      queues: WorkQueues;
      scheduleChanges: ScheduleChanges;
      variables: Variables;
    },
  ) {
    this.#deps = deps;
    this.#flows = flows;
    this.#limits = limits;
    this.#scheduleChanges = scheduleChanges;
    this.#views = new DeploymentViews(deps);
    this.checks = new DeploymentChecks(deps, variables);
    this.#writer = new DeploymentWriter(deps, { pools, queues, checks: this.checks });
  }

  /**
   * Makes the deployment, or updates the one of that name of the flow; only the keys that are present are written,
   * and its schedules are replaced by the given ones.
   *
   * @param enforcesByDefault whether a new one enforces its parameter schema when the body does not say
   * @throws DomainError `conflict`: no such flow; `not_found`: no such pool; `invalid`
   */
  async upsert(
    body: DeploymentCreate,
    enforcesByDefault = true,
  ): Promise<{ view: DeploymentView; isNew: boolean }> {
    const nameKey = deploymentNameKey(body.flow_id, hashKey(body.name));
    const fresh = { ...body, enforce_parameter_schema: body.enforce_parameter_schema ?? enforcesByDefault };
    const made = await this.#untilSettled<{ id: string; isNew: boolean }>(async () => {
      const [flow, name] = await Promise.all([
        get(this.#deps.kv, flowKey(body.flow_id)),
        get(this.#deps.kv, nameKey),
      ]);
      if (!flow.value || flow.value.closing) throw new DomainError("conflict", INTEGRITY);
      if (name.value === null) {
        const made = await this.#create(name, { ...flow, value: flow.value }, fresh);
        return made === undefined ? undefined : { result: { id: made, isNew: true } };
      }
      const entry = await get(this.#deps.kv, deploymentKey(name.value));
      if (!entry.value) return undefined; // deleted just now, and the name with it
      const changed = await this.#overwrite({ ...entry, value: entry.value }, body);
      return changed && { result: { id: changed.id, isNew: false } };
    });
    await this.#scheduleChanges.settle(made.id);
    await this.#limit(made.id, body);
    return { view: await this.get(made.id), isNew: made.isNew };
  }

  /** What is said about concurrency takes effect at the gates. Sent again, it goes on where a failure left it. */
  async #limit(id: string, body: DeploymentUpdate): Promise<void> {
    if (body.concurrency_limit === undefined && body.concurrency_options === undefined) return;
    const { value } = await get(this.#deps.kv, deploymentKey(id));
    if (value) await this.#limits.set(id, { limit: value.concurrencyLimit, strategy: strategyOf(value) });
  }

  /** The new deployment's id; undefined when another one took the name. */
  async #create(
    name: Entry<string>,
    flow: Entry<FlowRecord> & { value: FlowRecord },
    body: DeploymentCreate,
  ): Promise<string | undefined> {
    const { kv, sharedKv } = this.#deps;
    const draft = DeploymentDraft.fresh(this.#deps, body, flow.value);
    const { id } = draft.next;
    await this.#writer.fill(draft, body, "creating deployment");
    this.#replaceSchedules(draft, body);
    draft.commit.check(flow).check(name).set(name.key, id).set(deploymentOrderKey(body.name, id), 0);
    if (sharedKv) draft.commit.once(id);
    // An earlier attempt of the runtime may have been applied, and the deployment changed since.
    return await draft.send() || (await get<string>(kv, name.key)).value === id ? id : undefined;
  }

  async #overwrite(entry: DeploymentEntry, body: DeploymentCreate): Promise<DeploymentRecord | undefined> {
    const draft = DeploymentDraft.of(this.#deps, entry);
    if (body.labels) draft.next.labels = withLabels(draft.next.labels, body.labels);
    // The one key that the reference resets when it is absent.
    const given = { ...body, parameters: body.parameters ?? "{}" };
    await this.#writer.fill(draft, given, "creating deployment");
    this.#replaceSchedules(draft, body);
    return await draft.send() ? draft.next : undefined;
  }

  #replaceSchedules(draft: DeploymentDraft, body: DeploymentCreate): void {
    const writer = new ScheduleWriter(this.#deps);
    draft.put("schedules", JSON.stringify(writer.merge([], givenSchedules(body) ?? [])));
  }

  /** @throws DomainError `not_found`; `conflict`: the parameters do not fit their schema; `invalid` */
  async update(id: string, body: DeploymentUpdate): Promise<void> {
    await this.#write(id, body);
    await this.#limit(id, body);
  }

  async #write(id: string, body: DeploymentUpdate): Promise<void> {
    await this.#change(id, "Deployment not found.", async (draft) => {
      await this.#writer.fill(draft, body, "updating deployment");
      const given = givenSchedules(body);
      if (!given) return;
      const existing = await this.#schedulesOf(draft.next);
      draft.put("schedules", JSON.stringify(new ScheduleWriter(this.#deps).merge(existing, given)));
    });
  }

  /**
   * Changes the schedules in one commit with the deployment, and perhaps whether it is paused.
   *
   * @throws DomainError `not_found`, and what `change` throws
   */
  async changeSchedules<T>(
    id: string,
    change: (schedules: ScheduleRecord[], writer: ScheduleWriter) => {
      schedules: ScheduleRecord[];
      paused?: boolean;
      result: T;
    },
  ): Promise<T> {
    return await this.#change(id, "Deployment not found", async (draft) => {
      const { schedules, paused, result } = change(
        await this.#schedulesOf(draft.next),
        new ScheduleWriter(this.#deps),
      );
      draft.put("schedules", JSON.stringify(schedules));
      if (paused !== undefined) draft.next.paused = paused;
      return result;
    });
  }

  /** Its schedules keep what they say. @throws DomainError `not_found` */
  async setPaused(id: string, paused: boolean): Promise<void> {
    await this.#change(id, "Deployment not found", (draft) => {
      draft.next.paused = paused;
      return Promise.resolve();
    });
  }

  /** Reads, lets `write` change the draft, and sends it, until nothing came between. */
  async #change<T>(
    id: string,
    missing: string,
    write: (draft: DeploymentDraft) => Promise<T>,
  ): Promise<T> {
    const result = await this.#untilSettled(async () => {
      const draft = DeploymentDraft.of(this.#deps, await this.#entry(id, missing));
      const result = await write(draft);
      return await draft.send() ? { result } : undefined;
    });
    await this.#scheduleChanges.settle(id);
    return result;
  }

  async #schedulesOf(deployment: DeploymentRecord): Promise<ScheduleRecord[]> {
    return readSchedules(await readText(this.#deps.kv, deployment.schedules));
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<DeploymentView> {
    return await this.#untilSettled(async () => ({
      result: await this.#views.of((await this.#entry(id)).value),
    }));
  }

  /** The record with its version, for what has to check it. @throws DomainError `not_found` */
  async require(id: string): Promise<DeploymentEntry> {
    return await this.#entry(id);
  }

  /** @throws DomainError `not_found` */
  async byName(flowName: string, name: string): Promise<DeploymentView> {
    const flow = await this.#flows.byNameOrUndefined(flowName);
    const id = flow && (await get(this.#deps.kv, deploymentNameKey(flow.id, hashKey(name)))).value;
    if (!id) throw new DomainError("not_found", "Deployment not found");
    return await this.get(id);
  }

  /**
   * Runs of the deployment stay, but for those that its schedules made for the future.
   *
   * @throws DomainError `not_found`
   */
  async delete(id: string): Promise<void> {
    const { kv, clock } = this.#deps;
    await this.#untilSettled(async () => {
      const entry = await this.#entry(id);
      const scheduling = await get(kv, schedulingKey(id));
      const commit = new Commit().check(entry);
      deleteDeployment(commit, entry.value, { scheduling, now: clock.now() });
      const isGone = (await commit.send(kv)).ok || !(await get(kv, deploymentKey(id))).value;
      return isGone ? { result: undefined } : undefined;
    });
    await this.#scheduleChanges.settle(id);
  }

  /** Tries again while something came between: `attempt` answers nothing then, or met a text that was replaced. */
  async #untilSettled<T>(attempt: () => Promise<{ result: T } | undefined>): Promise<T> {
    for (let count = 0; count < ATTEMPTS; count++) {
      try {
        const settled = await attempt();
        if (settled) return settled.result;
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== "contention") throw error;
      }
    }
    throw new DomainError("contention", "The deployment changed while it was being written: try again.");
  }

  async #entry(id: string, missing = "Deployment not found"): Promise<DeploymentEntry> {
    const entry = await get(this.#deps.kv, deploymentKey(id));
    if (!entry.value) throw new DomainError("not_found", missing);
    return { ...entry, value: entry.value };
  }
}

/** What the reference says when something points at an object that is not there. */
export const INTEGRITY =
  "Data integrity conflict. This usually means a unique or foreign key constraint was violated. " +
  "See server logs for details.";

function strategyOf({ concurrencyOptions }: DeploymentRecord): CollisionStrategy {
  const options = concurrencyOptions === null ? null : JSON.parse(concurrencyOptions);
  return options?.collision_strategy ?? "ENQUEUE";
}

/** The schedules that the body lists, or the one of a 2.20 client; undefined when it speaks of none. */
function givenSchedules(body: DeploymentUpdate): DeploymentScheduleUpdate[] | undefined {
  if (body.schedules?.length || !body.schedule) return body.schedules ?? undefined;
  return [{ schedule: body.schedule, active: body.is_schedule_active ?? true }];
}
