/** Several servers over one KV that loses answers, each of which may die at any point. */
import { assertEquals } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { InProcessDriver } from "../../src/scheduler/in_process.ts";
import { scheduleLoop } from "../../src/scheduler/schedule_loop.ts";
import type { DeploymentRecord, RunDoc, RunRecord, ScheduleRecord } from "../../src/schemas/records.ts";
import { buildServices, type Services } from "../../src/services/services.ts";
import { type SimDeps, simDeps } from "../testing/fake_deps.ts";
import { FakeKv, type KvFaults, NO_FAULTS } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { SimScheduler } from "../testing/sim_scheduler.ts";

const MINUTE = 60_000_000;
const STEP = 20 * 1_000_000;
const FAULTS: KvFaults = {
  lostAnswer: 0.1,
  appliedThough: 0.7,
  unknownOutcome: 0.05,
  locked: 0.05,
  slowAnswer: 0.1,
};

interface Server {
  who: string;
  deps: SimDeps;
  services: Services;
}

/** Two servers with a scheduler each, and somebody who changes deployments and kills servers. */
class ScheduledWorld {
  readonly sim: SimScheduler;
  readonly store = new FakeKvStore();
  readonly kv = new FakeKv(this.store);
  readonly #faults: KvFaults = { ...FAULTS };
  readonly #servers: Server[] = [];
  #boots = 0;
  #isDone = false;

  constructor(seed: number) {
    this.sim = new SimScheduler({ seed, jumpChance: 0.01 });
  }

  async run(): Promise<void> {
    this.#boot(0);
    this.#boot(1);
    this.sim.start("user", () => this.#use());
    assertEquals(await this.sim.run(() => this.#isDone, 200_000), "done");
  }

  #boot(i: number): void {
    const who = `server${++this.#boots}`;
    const kv = new FakeKv(this.store, { who, scheduler: this.sim, faults: this.#faults });
    const deps = simDeps(this.sim, who, kv);
    const services = buildServices(deps);
    this.#servers[i] = { who, deps, services };
    this.sim.start(who, () => new InProcessDriver(deps, scheduleLoop(services.autoRuns)).run());
  }

  /** Asks one of the servers until it answers; one that dies meanwhile never does. */
  async #ask<T>(what: (services: Services) => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await this.#askOnce(what);
      if (answer !== undefined) return answer;
    }
  }

  /** Undefined when there is no answer. */
  async #askOnce<T>(what: (services: Services) => Promise<T>): Promise<T | undefined> {
    const { services } = this.#servers[this.sim.random.int(2)]!;
    return await Promise.race([
      what(services).catch((error) => {
        if (error instanceof DomainError && error.code !== "not_found") return undefined;
        throw error;
      }),
      this.sim.sleep("user", 30_000).then(() => undefined),
    ]);
  }

  async #use(): Promise<void> {
    const { random } = this.sim;
    const { flow } = await this.#ask(({ flows }) => flows.create({ name: "f", tags: [], labels: "{}" }));
    const schedules = [200, 450].map((interval) => ({ schedule: { interval }, active: true }));
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) {
      const made = await this.#ask(({ deployments }) =>
        deployments.upsert({ name, flow_id: flow.id, schedules })
      );
      ids.push(made.view.deployment.id);
    }
    for (let round = 0; round < 12; round++) {
      await this.sim.sleep("user", random.int(60_000));
      const id = ids[random.int(3)]!;
      if (random.chance(0.2)) this.#kill(random.int(2));
      if (random.chance(0.5)) this.#killSoon(random.int(2));
      const given = [100 + random.int(400)].map((interval) => ({ schedule: { interval } }));
      const changes: ((services: Services) => Promise<void>)[] = [
        ({ deployments }) => deployments.setPaused(id, true),
        ({ deployments }) => deployments.setPaused(id, false),
        ({ deployments }) => deployments.update(id, { schedules: given, paused: false }),
      ];
      await this.#askOnce(changes[random.int(3)]!);
    }
    Object.assign(this.#faults, NO_FAULTS);
    // Requests whose answer was not waited for may still be under way, and change something.
    do await this.sim.sleep("user", 60_000); while (await this.#isBusy());
    for (const { deps } of this.#servers) deps.controller.abort();
    await this.sim.sleep("user", 60_000);
    this.#isDone = true;
  }

  async #isBusy(): Promise<boolean> {
    const { value: found } = await this.kv.list({ prefix: ["schedule_due"] }, { limit: 1 }).next();
    return found !== undefined && Number(found.key[1]) <= this.sim.now();
  }

  #kill(i: number): void {
    this.sim.kill(this.#servers[i]!.who);
    this.#boot(i);
  }

  /** Dies in the midst of what is asked next. */
  #killSoon(i: number): void {
    const { who } = this.#servers[i]!;
    this.sim.start("death", async () => {
      for (let steps = this.sim.random.int(40); steps > 0; steps--) await this.sim.point("death", "waits");
      if (this.#servers[i]!.who === who) this.#kill(i);
    });
  }

  /** What is wrong with the runs that there are at the end, in words. */
  async faults(): Promise<string[]> {
    const now = this.sim.now();
    const list = async <T>(kind: string) =>
      (await Array.fromAsync(this.kv.list<T>({ prefix: [kind] }))).map(({ value }) => value);
    const runs = new Map((await list<RunRecord>("run")).map((run) => [run.id, run]));
    const docs = await list<RunDoc>("run_doc");
    const faults: string[] = [];
    for (const deployment of await list<DeploymentRecord>("deployment")) {
      const schedules = JSON.parse(deployment.schedules as string) as ScheduleRecord[];
      const made = docs.filter(({ id }) => runs.get(id)?.deployment === deployment.id);
      const changed = deployment.updated;
      const dates = Map.groupBy(made, ({ createdBy }) => JSON.parse(createdBy!).id as string);
      for (const [schedule, own] of dates) {
        const at = own.map(({ id }) => runs.get(id)!.expectedStart!).sort((a, b) => a - b);
        if (new Set(at).size < at.length) {
          faults.push(`${deployment.name}: a date of ${schedule} comes twice`);
        }
        const isOld = !schedules.some(({ id }) => id === schedule);
        if (isOld && at.at(-1)! > changed) {
          faults.push(`${deployment.name}: a run of an old schedule is left`);
        }
      }
      if (deployment.paused) { // by a request whose answer was lost
        if (made.some(({ id }) => runs.get(id)!.expectedStart! > changed)) {
          faults.push(`${deployment.name}: paused, with runs`);
        }
        continue;
      }
      for (const { id, schedule } of schedules) {
        const { interval, anchor_date } = JSON.parse(schedule);
        const anchor = Date.parse(anchor_date) * 1000 + Number(anchor_date.slice(23, 26));
        const step = interval * 1_000_000;
        const at = new Set((dates.get(id) ?? []).map((doc) => runs.get(doc.id)!.expectedStart!));
        const first = anchor + Math.ceil((changed + 1_000 - anchor) / step) * step;
        for (let date = first; date < now + 40 * MINUTE; date += step) {
          if (!at.has(date)) {
            faults.push(`${deployment.name}: ${id} has no run ${(date - changed) / STEP} on`);
          }
        }
      }
    }
    return faults;
  }
}

Deno.test("servers that die at any point make no run of a schedule twice, miss none, and leave none of what was before", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new ScheduledWorld(seed);
    await world.run();
    const faults = await world.faults();
    assertEquals(faults.slice(0, 5), [], `seed ${seed}: ${faults.length} faults`);
  }
});
