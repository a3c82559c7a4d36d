import { all, type Clause, holds } from "../domain/run_clause.ts";
import { type Figures, type HistoryBar, Lateness, RunHistory } from "../domain/run_history.ts";
import { toRow } from "../domain/run_row.ts";
import { beforeBy, type Sorted } from "../domain/run_sort.ts";
import { DomainError } from "../errors.ts";
import { hashKey } from "../kv/hash.ts";
import { idempotencyKey } from "../kv/keys.ts";
import { getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type {
  FlowRunFilters,
  FlowRunHistoryBody,
  FlowRunListBody,
  FlowRunPaginateBody,
  FlowRunSort,
} from "../schemas/filter.ts";
import { type Instant, STATE_TYPES, type StateType } from "../schemas/records.ts";
import type { RunRow } from "../schemas/run_row.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import { hitOf } from "./run_index/order.ts";
import { readRuns } from "./run_index/records.ts";
import type { RunIndex } from "./run_index/run_index.ts";
import { OverBudgetError } from "./run_index/scan.ts";
import type { Found } from "./run_index/search.ts";
import { type Scope, scopeOf, type ScopeParts } from "./run_scope.ts";

/** Runs of a list, and how to go on where it ended early. */
export interface Listed {
  views: FlowRunView[];
  /** Only for callers that take it: the budget ended before the list was whole. */
  partial?: { read: number; of: number; next: Continuation | undefined };
}

/** The place after which a list goes on, and what of offset and limit is left then. */
export interface Continuation extends Sorted {
  offset: number;
  limit: number;
}

export interface Page {
  views: FlowRunView[];
  count: number;
  limit: number;
  pages: number;
  page: number;
}

/** Named runs are read one by one up to this many; beyond it pages are cheaper. */
const MOST_NAMED = 1_000;
/** Looked up beyond the wanted ones, should some have changed since. */
const SPARE = 10;

/** Lists, counts and charts of runs. */
export class FlowRunList {
  readonly #deps: ServerDeps;
  readonly #parts: ScopeParts & { runs: FlowRuns; index: RunIndex };

  constructor(deps: ServerDeps, parts: ScopeParts & { runs: FlowRuns; index: RunIndex }) {
    this.#deps = deps;
    this.#parts = parts;
  }

  /** @throws DomainError `invalid` when the filter is too wide, `busy`, `contention` */
  async list(body: FlowRunListBody): Promise<FlowRunView[]> {
    return (await this.listPart(body, { takesPart: false })).views;
  }

  /** The flows that have a run which the filters match. @throws as {@link list} */
  flowsOf(filters: FlowRunFilters): Promise<ReadonlySet<string>> {
    return this.#different(filters, ({ flow }) => flow);
  }

  /** The deployments that have a run that the filter matches. @throws as {@link list} */
  deploymentsOf(filter: NonNullable<FlowRunFilters["flow_runs"]>): Promise<ReadonlySet<string>> {
    return this.#different({ flow_runs: filter }, ({ deployment }) => deployment);
  }

  /** Different values that the matching runs have. */
  async #different(
    filters: FlowRunFilters,
    value: (run: Figures) => string | null,
  ): Promise<ReadonlySet<string>> {
    const { clause } = await scopeOf(filters, this.#parts);
    if (clause.kind === "never") return new Set();
    const begin = () => {
      const found = new Set<string>();
      const add = (run: Figures) => {
        const one = value(run);
        if (one !== null) found.add(one);
      };
      return { found, add };
    };
    return (await orTooWide(() => this.#parts.index.addUp(clause, begin))).found;
  }

  /** The ids of all runs that match, in no order. @throws as {@link list} */
  async idsOf(filters: FlowRunFilters): Promise<string[]> {
    const scope = await scopeOf(filters, this.#parts);
    if (scope.clause.kind === "never") return [];
    const named = await this.#named(filters, scope);
    if (named) return named.map(({ id }) => id);
    const everything = { sort: "ID_DESC", offset: 0, limit: Number.MAX_SAFE_INTEGER } as const;
    const { ids, partial } = await orTooWide(() =>
      this.#parts.index.find({ clause: scope.clause, ...everything })
    );
    if (partial) throw tooWide(partial);
    return ids;
  }

  /** The same; with `takesPart` a list that costs too much is answered as far as it got. */
  async listPart(
    body: FlowRunListBody,
    { takesPart, from }: { takesPart: boolean; from?: Continuation | undefined },
  ): Promise<Listed> {
    const scope = await scopeOf(body, this.#parts);
    const { sort } = body;
    const { offset, limit } = from ?? body;
    if (scope.clause.kind === "never" || limit === 0) return { views: [] };
    const named = from ? undefined : await this.#named(body, scope);
    if (named) {
      const hits = named.map((row) => hitOf(sort, row)).sort(beforeBy(sort));
      const views = await this.#parts.runs.views(hits.slice(offset, offset + limit).map(({ id }) => id));
      return { views: views.filter((view) => holds(scope.clause, toRow(view.run, view.doc))) };
    }
    const question = { clause: scope.clause, sort, offset, limit, after: from };
    const listed = await this.#listFound(question);
    if (listed.partial && !takesPart) throw tooWide(listed.partial);
    return listed;
  }

  async #listFound(question: {
    clause: Clause;
    sort: FlowRunSort;
    offset: number;
    limit: number;
    after: Sorted | undefined;
  }): Promise<Listed> {
    const { clause, limit } = question;
    for (let spare = SPARE;; spare *= 10) {
      const found = await orTooWide(() => this.#parts.index.find({ ...question, limit: limit + spare }));
      const views = await this.#certain(found, clause, limit);
      const isShort = views.length < limit && !found.isAll && !found.partial;
      if (isShort && spare < 1_000) continue;
      const partial = views.length < limit ? found.partial : undefined;
      if (!partial) return { views };
      const { next, ...parts } = partial;
      const rest = next && { ...next.after, offset: next.offset, limit: limit - views.length };
      return { views, partial: { ...parts, next: rest } };
    }
  }

  /** Loads the runs and asks the filter again: what changed since, or stood wrong on a page, is left out. */
  async #certain({ ids, seen }: Found, clause: Clause, limit: number): Promise<FlowRunView[]> {
    const certain: FlowRunView[] = [];
    let wrong = 0;
    for (let at = 0; certain.length < limit && at < ids.length;) {
      const some = ids.slice(at, at + limit - certain.length);
      at += some.length;
      for (const view of await this.#parts.runs.views(some)) {
        if (holds(clause, toRow(view.run, view.doc))) certain.push(view);
        else if (view.version <= seen) wrong++;
      }
    }
    if (wrong > 0) this.#parts.index.suspect("runs were listed that do not match", { runs: wrong });
    return certain;
  }

  async count(filters: FlowRunFilters): Promise<number> {
    const scope = await scopeOf(filters, this.#parts);
    if (scope.clause.kind === "never") return 0;
    const named = await this.#named(filters, scope);
    return named?.length ?? await orTooWide(() => this.#parts.index.count(scope.clause));
  }

  /** How many runs there are of each type of state; two reads. */
  async countByStateType(): Promise<Record<StateType, number>> {
    const counts = await this.#parts.index.countByType();
    return Object.fromEntries(STATE_TYPES.map((type, i) => [type, counts[i]!])) as Record<StateType, number>;
  }

  async paginate({ page, limit, ...body }: FlowRunPaginateBody): Promise<Page> {
    const [views, count] = await Promise.all([
      this.list({ ...body, limit, offset: (page - 1) * limit }),
      this.count(body),
    ]);
    return { views, count, limit, pages: limit === 0 ? 0 : Math.ceil(count / limit), page };
  }

  /** Runs by intervals of their expected time; at most 500, of a second at least. */
  async history(body: FlowRunHistoryBody): Promise<HistoryBar[]> {
    const interval = Math.round(body.history_interval_seconds * 1e6);
    if (interval < 1e6) {
      throw new DomainError("invalid", "history_interval_seconds is below the shortest interval, 1 second.", {
        field: ["history_interval_seconds"],
      });
    }
    const period = {
      start: body.history_start,
      end: body.history_end,
      interval,
      now: this.#deps.clock.now(),
    };
    const empty = new RunHistory(period);
    const { clause } = await scopeOf(
      { ...body, work_pool_queues: body.work_queues ?? body.work_pool_queues },
      this.#parts,
    );
    if (clause.kind === "never") return empty.bars();
    const inside: Clause = {
      kind: "time",
      column: "expected",
      from: period.start,
      to: empty.end - 1,
      nulls: false,
    };
    const history = await orTooWide(() =>
      this.#parts.index.addUp(all(clause, inside), () => new RunHistory(period))
    );
    return history.bars();
  }

  /** Seconds by which runs start late, on average; null without runs. */
  async lateness(filters: FlowRunFilters): Promise<number | null> {
    const { clause } = await scopeOf(filters, this.#parts);
    if (clause.kind === "never") return null;
    const now: Instant = this.#deps.clock.now();
    return (await orTooWide(() => this.#parts.index.addUp(clause, () => new Lateness(now)))).average();
  }

  /** The matches among runs that the filter names; undefined when it names none, or very many. */
  async #named(filters: FlowRunFilters, { clause, flows }: Scope): Promise<RunRow[] | undefined> {
    const { kv } = this.#deps;
    const own = filters.flow_runs?.operator === "or_" ? undefined : filters.flow_runs;
    let ids = own?.id?.any_;
    const keys = own?.idempotency_key?.any_;
    if (!ids && flows && keys && flows.size * keys.length <= MOST_NAMED) {
      const lookups = [...flows].flatMap((flow) => keys.map((key) => idempotencyKey(flow, hashKey(key))));
      ids = (await getMany(kv, lookups)).flatMap(({ value }) => value ?? []);
    }
    if (!ids || ids.length > MOST_NAMED) return undefined;
    const runs = await readRuns(kv, [...new Set(ids)]);
    return runs.flatMap(({ row }) => row && holds(clause, row) ? [row] : []);
  }
}

const tooWide = ({ read, of }: { read: number; of: number }) =>
  new DomainError(
    "invalid",
    `The answer needs more than can be read for one request (${read} of ${of} parts). Narrow the filter: by state, ` +
      "deployment, or a period of expected_start_time or end_time. Clients that take a part of the answer send the " +
      "header Sluice-Partial: accept.",
  );

async function orTooWide<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof OverBudgetError) throw tooWide({ read: 0, of: error.size });
    throw error;
  }
}
