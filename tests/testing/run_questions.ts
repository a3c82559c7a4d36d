/** Random questions about runs, and their answers by brute force over the records. */
import { all, type Clause, holds } from "../../src/domain/run_clause.ts";
import { type HistoryBar, Lateness, RunHistory } from "../../src/domain/run_history.ts";
import { runClause } from "../../src/domain/run_filter.ts";
import { toRow } from "../../src/domain/run_row.ts";
import { beforeBy } from "../../src/domain/run_sort.ts";
import { FLOW_RUN_SORTS, FlowRunFilter, type FlowRunSort } from "../../src/schemas/filter.ts";
import { type RunDoc, type RunRecord, STATE_TYPES } from "../../src/schemas/records.ts";
import type { RunRow } from "../../src/schemas/run_row.ts";
import { hitOf } from "../../src/services/run_index/order.ts";
import type { RunIndex } from "../../src/services/run_index/run_index.ts";
import { DEPLOYMENTS, ODD_TEXTS, PARENTS, QUEUES, STATE_NAMES, TAGS } from "./run_writer.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { SIM_START } from "./sim_scheduler.ts";

const queueName = (id: string | null) =>
  id === null || id === QUEUES[3] ? null : `queue-${QUEUES.indexOf(id) % 2}`;
const NOW = SIM_START + 5 * 3_600_000_000;
const HISTORY = { start: SIM_START, end: SIM_START + 10 * 3_600_000_000, interval: 1_800_000_000, now: NOW };

/** A filter as it comes from the wire. */
export function randomFilter(random: SeededRandom, ids: readonly string[]): Record<string, unknown> {
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)]!;
  const some = <T>(items: readonly T[]): T[] => items.filter(() => random.chance(0.3));
  const operator = random.chance(0.2) ? "or_" : "and_";
  const time = () => (SIM_START + random.int(600) * 60_000_000) / 1e6;
  const period = () => ({
    ...(random.chance(0.7) ? { after_: time() } : {}),
    ...(random.chance(0.5) ? { before_: time() } : {}),
  });
  const isNull = () => random.chance(0.3) ? { is_null_: random.chance(0.5) } : {};
  const clauses: Record<string, () => unknown> = {
    id: () => random.chance(0.5) ? { not_any_: some(ids).slice(0, 3) } : { any_: [pick(ids), pick(ids)] },
    name: () =>
      random.chance(0.5)
        ? { like_: pick(["1", "RUN-2", "走", "xx", "\0"]) }
        : { any_: ["run-1", pick(ODD_TEXTS)] },
    tags: () => ({
      operator,
      ...(random.chance(0.6) ? { all_: some(TAGS) } : { any_: some(TAGS) }),
      ...isNull(),
    }),
    deployment_id: () => ({ operator, any_: some(DEPLOYMENTS).slice(0, 2), ...isNull() }),
    work_queue_name: () => ({ operator, any_: [pick(["queue-0", "queue-1", "none"])], ...isNull() }),
    state: () => ({
      operator,
      ...(random.chance(0.7)
        ? { type: random.chance(0.7) ? { any_: some(STATE_TYPES) } : { not_any_: some(STATE_TYPES) } }
        : {}),
      ...(random.chance(0.4) ? { name: { any_: some(STATE_NAMES) } } : {}),
    }),
    start_time: () => ({ ...period(), ...isNull() }),
    end_time: () => ({ ...period(), ...isNull() }),
    expected_start_time: period,
    next_scheduled_start_time: period,
    parent_task_run_id: () => ({ operator, any_: some(PARENTS), ...isNull() }),
    flow_version: () => ({ any_: ["v1"] }),
    idempotency_key: () => ({ any_: ["key-3", "key-4"] }),
    created_by: () => ({ operator, id_: some(PARENTS), ...isNull() }),
  };
  // What pages do not tell is asked of the records, which takes time.
  const names = Object.keys(clauses).slice(0, random.chance(0.1) ? undefined : -3);
  const chosen = Array.from({ length: random.int(4) }, () => pick(names));
  return { operator, ...Object.fromEntries(chosen.map((name) => [name, clauses[name]!()])) };
}

export async function allRows(kv: Deno.Kv): Promise<RunRow[]> {
  const rows: RunRow[] = [];
  const docs = new Map<string, RunDoc>();
  for await (const { value } of kv.list<RunDoc>({ prefix: ["run_doc"] }, { batchSize: 500 })) {
    docs.set(value.id, value);
  }
  for await (const { value } of kv.list<RunRecord>({ prefix: ["run"] }, { batchSize: 500 })) {
    const doc = docs.get(value.id);
    if (doc) rows.push(toRow(value, doc));
  }
  return rows;
}

function bruteList(rows: readonly RunRow[], clause: Clause, sort: FlowRunSort): string[] {
  const hits = rows.filter((row) => holds(clause, row)).map((row) => hitOf(sort, row));
  return hits.sort(beforeBy(sort)).map(({ id }) => id);
}

function bruteHistory(rows: readonly RunRow[], clause: Clause): HistoryBar[] {
  const history = new RunHistory(HISTORY);
  for (const row of rows) if (holds(clause, row)) history.add(row);
  return history.bars();
}

const rounded = (bars: readonly HistoryBar[]) =>
  bars.map(({ start, states }) => [
    start,
    states.map((
      state,
    ) => [state.type, state.name, state.runs, Math.round(state.runTime), Math.round(state.lateness)]),
  ]);

/** What differs between the index' answer to a random question and that of brute force; undefined when nothing. */
export async function askOne(
  index: RunIndex,
  rows: readonly RunRow[],
  random: SeededRandom,
): Promise<string | undefined> {
  const filter = randomFilter(random, rows.slice(0, 50).map(({ id }) => id).concat("none"));
  if (rows.length < 2) return undefined;
  const wire = {
    ...filter,
    ...(Array.isArray((filter["id"] as { any_?: string[] })?.any_)
      ? { id: { any_: [rows[0]!.id, rows[1]!.id] } }
      : {}),
  };
  const not = (wire as { id?: { not_any_?: string[] } }).id?.not_any_;
  if (not) Object.assign(wire, { id: { not_any_: not.filter((id) => id !== "none") } });
  const clause = runClause(FlowRunFilter.parse(wire), queueName);
  const differs = (what: string, got: unknown, wanted: unknown) =>
    JSON.stringify(got) === JSON.stringify(wanted)
      ? undefined
      : `${what} of ${JSON.stringify(wire)}: got ${short(got)}, wanted ${short(wanted)}`;
  const kind = random.unit();
  if (kind < 0.15) {
    return differs("count", await index.count(clause), rows.filter((row) => holds(clause, row)).length);
  }
  if (kind < 0.25) {
    const counts = STATE_TYPES.map((type) => rows.filter((row) => row.type === type).length);
    return differs("counts by type", await index.countByType(), counts);
  }
  if (kind < 0.35) {
    const inside: Clause = {
      kind: "time",
      column: "expected",
      from: HISTORY.start,
      to: HISTORY.end - 1,
      nulls: false,
    };
    const history = await index.addUp(all(clause, inside), () => new RunHistory(HISTORY));
    return differs("history", rounded(history.bars()), rounded(bruteHistory(rows, clause)));
  }
  if (kind < 0.4) {
    const wanted = new Lateness(NOW);
    for (const row of rows) if (holds(clause, row)) wanted.add(row);
    const got = (await index.addUp(clause, () => new Lateness(NOW))).average();
    return differs("lateness", got?.toFixed(3), wanted.average()?.toFixed(3));
  }
  const sort = FLOW_RUN_SORTS[random.int(FLOW_RUN_SORTS.length)]!;
  const offset = random.chance(0.5) ? 0 : random.int(rows.length);
  const limit = 1 + random.int(60);
  const { ids } = await index.find({ clause, sort, offset, limit });
  return differs(
    `list ${sort} ${offset}+${limit}`,
    ids,
    bruteList(rows, clause, sort).slice(offset, offset + limit),
  );
}

const short = (value: unknown): string => JSON.stringify(value).slice(0, 400);
