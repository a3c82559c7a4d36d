import { ALWAYS, type Clause, holds } from "../../domain/run_clause.ts";
import type { Figures } from "../../domain/run_history.ts";
import { DomainError } from "../../errors.ts";
import { PageBrokenError } from "../../kv/pages/page.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import { STATE_TYPES } from "../../schemas/records.ts";
import type { RunRow } from "../../schemas/run_row.ts";
import { auditPage } from "./audit.ts";
import { build } from "./build.ts";
import { NO } from "./evaluate.ts";
import { Hints } from "./hints.ts";
import { Packer, PACKER_OPTIONS, type PackerOptions, type Step } from "./packer.ts";
import { MovedError, PageStore } from "./page_store.ts";
import { INDEX_RULES, type IndexRules } from "./rules.ts";
import { Scan } from "./scan.ts";
import { Scans } from "./scans.ts";
import { BUDGET, type Budget, type Found, type Question, Search } from "./search.ts";
import { type Snapshot, Snapshots, UnbuiltError } from "./snapshots.ts";
import { addFigures, Sum, tellsState } from "./sum.ts";

export interface RunIndexOptions {
  packer?: Partial<PackerOptions>;
  budget?: Partial<Budget>;
  rules?: IndexRules;
}

/** Tails longer than this are folded by whoever meets them, unless somebody else has the task. */
const LONG_TAIL = 2_000;
/** How often a build is begun anew when another one came between. */
const BUILDS = 3;
/** Tails longer than this are folded even when somebody else has the task. */
const VERY_LONG_TAIL = 20_000;
/** How soon to look whether another process has built the pages. */
const LOOK_AGAIN_MS = 250;
/** What was found wrong is mended at most so often. */
const MEND_EVERY_MS = 600_000;
/** How often a read looks again when pages changed under it. */
const ATTEMPTS = 20;

/**
 * Answers questions about runs from pages and the journal behind them (docs/lists.md). Every answer is exact as of a
 * moment during the call, whatever packers and writers do meanwhile.
 */
export class RunIndex {
  readonly store: PageStore;
  readonly hints = new Hints();
  readonly packer: Packer;
  readonly #deps: ServerDeps;
  readonly #rules: IndexRules;
  readonly #budget: Budget;
  readonly #maxRows: number;
  readonly #snapshots: Snapshots;
  readonly #scans: Scans;
  #building: Promise<void> | undefined;
  #stepping: Promise<Step> | undefined;
  /** Something was found wrong since the last build. */
  #isSuspect = false;
  #mended = -Infinity;

  constructor(deps: ServerDeps, { packer = {}, budget = {}, rules = INDEX_RULES }: RunIndexOptions = {}) {
    const options = { ...PACKER_OPTIONS, ...packer };
    this.#deps = deps;
    this.#rules = rules;
    this.#budget = { ...BUDGET, ...budget };
    this.#maxRows = options.maxRows;
    this.store = new PageStore(deps.kv, rules);
    this.packer = new Packer(deps, { store: this.store, hints: this.hints, rules, options });
    this.#snapshots = new Snapshots(
      deps.kv,
      this.store,
      (rows) => this.suspect("pages and totals differ", { rows }),
    );
    this.#scans = new Scans(deps.clock);
  }

  /** Whether something was found wrong that only a build mends. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** Notes that pages do not say what the records say. */
  suspect(what: string, details: Record<string, unknown> = {}): void {
    if (!this.#isSuspect) {
      this.#deps.log.error(`The index of runs is wrong: ${what}. It will be built anew.`, details);
    }
    this.#isSuspect = true;
  }

  /** Builds the pages anew, once at a time. Also what mends them. */
  build(): Promise<void> {
    this.#building ??= this.#build().finally(() => this.#building = undefined);
    return this.#building;
  }

  async #build(): Promise<void> {
    const { clock, log } = this.#deps;
    const started = clock.monotonic();
    const parts = { deps: this.#deps, store: this.store, rules: this.#rules, maxRows: this.#maxRows };
    let isDone = false;
    for (let attempt = 0; attempt < BUILDS && !isDone; attempt++) isDone = await build(parts);
    if (!isDone) return;
    this.packer.forget();
    this.#isSuspect = false;
    log.info("The index of runs was built.", { ms: Math.round(clock.monotonic() - started) });
  }

  /** One step of the packer; builds first when that is needed. Who asks while one is under way gets that one. */
  step(isUrgent = false): Promise<Step> {
    this.#stepping ??= this.#step(isUrgent).finally(() => this.#stepping = undefined);
    return this.#stepping;
  }

  async #step(isUrgent: boolean): Promise<Step> {
    try {
      const step = await this.packer.step(isUrgent);
      if (step === "unbuilt") await this.#buildFirst();
      return step;
    } catch (error) {
      if (!(error instanceof PageBrokenError)) throw error;
      await this.#mend(error);
      return "unbuilt";
    }
  }

  /** Builds what was never built, or waits a moment when another process just does it. */
  async #buildFirst(): Promise<void> {
    const { clock, shutdown } = this.#deps;
    const { value } = await this.store.cursor();
    const isOthers = !this.#building && value && !value.isBuilt && value.building !== null &&
      value.until > clock.now();
    if (isOthers) await clock.sleep(LOOK_AGAIN_MS, shutdown);
    else await this.build();
  }

  /** Builds anew when something was found wrong; not again and again, should that not help. */
  async #mendWhenDue(): Promise<boolean> {
    const now = this.#deps.clock.monotonic();
    if (!this.#isSuspect || now - this.#mended < MEND_EVERY_MS) return false;
    this.#mended = now;
    await this.build();
    return true;
  }

  async #mend(error: PageBrokenError): Promise<void> {
    this.suspect(error.message);
    this.store.forget();
    this.packer.forget();
    await this.build();
  }

  /** The first matches. @throws DomainError `busy`, `contention`, `invalid` when it would cost too much */
  find(question: Question): Promise<Found> {
    return this.ask(
      question.clause,
      (snapshot, scan) => new Search(this.#deps.kv, snapshot, scan, this.#budget).find(question),
    );
  }

  /** How many runs match. @throws as {@link find} */
  async count(clause: Clause): Promise<number> {
    if (asksOnlyType(clause)) return (await this.countByType(clause)).reduce((sum, count) => sum + count, 0);
    return await this.ask(clause, async (snapshot, scan) => {
      let count = 0;
      const sum = new Sum(this.#deps.kv, snapshot, scan, this.#budget);
      const loose = await sum.over(clause, (_, answers) => {
        for (const answer of answers) if (answer !== NO) count++;
      }, () => true);
      return count + loose.length;
    });
  }

  /** How many runs there are of each state type, by index of STATE_TYPES. `clause` may ask for the type alone. */
  async countByType(clause: Clause = ALWAYS): Promise<number[]> {
    const totals = await this.#retrying(async () => {
      const { totals, tailLength } = await this.#snapshots.totals();
      return tailLength > LONG_TAIL && isFolded(await this.step()) ? undefined : totals;
    });
    // Nothing but the type is asked of the row.
    return totals.map((total, type) => holds(clause, { type: STATE_TYPES[type] } as RunRow) ? total : 0);
  }

  /** Adds every match to what `begin` makes; it is made anew when pages moved meanwhile. @throws as {@link find} */
  addUp<A extends { add(run: Figures): void }>(clause: Clause, begin: () => A): Promise<A> {
    return this.ask(clause, async (snapshot, scan) => {
      const result = begin();
      const sum = new Sum(this.#deps.kv, snapshot, scan, this.#budget);
      const loose = await sum.over(clause, (page, answers) => addFigures(page, answers, result), tellsState);
      for (const run of loose) result.add(run);
      return result;
    });
  }

  /** Compares a page with its records: one by chance, or the given one. Tells how many rows differ. */
  async audit(no?: number): Promise<number> {
    const wrong = await this.ask(
      ALWAYS,
      (snapshot) =>
        auditPage(this.#deps.kv, snapshot, {
          random: this.#deps.random,
          ...(no === undefined ? {} : { no }),
        }),
    );
    if (wrong > 0) this.suspect("rows differ from their records", { rows: wrong });
    return wrong;
  }

  /** Asks something of a snapshot, and of another one as long as pages change under it. */
  ask<T>(clause: Clause, question: (snapshot: Snapshot, scan: Scan) => Promise<T>): Promise<T> {
    let longest = LONG_TAIL;
    return this.#retrying(async () => {
      const snapshot = await this.#snapshots.take(longest);
      if (!snapshot) {
        // While somebody else folds, a longer tail is read; beyond that he has fallen behind.
        const step = await this.step(longest > LONG_TAIL);
        if (step === "not_ours") longest = VERY_LONG_TAIL;
        if (step === "lost") throw new MovedError();
        return undefined;
      }
      if (await this.#mendWhenDue()) return undefined;
      const parts = {
        store: this.store,
        rules: this.#rules,
        scans: this.#scans,
        mostPages: this.#budget.pages,
      };
      return await question(snapshot, new Scan(snapshot, clause, parts));
    });
  }

  /** Tries again while the answer is undefined, pages move, or have to be built first. */
  async #retrying<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let moved = 0; moved < ATTEMPTS;) {
      try {
        const answer = await attempt();
        if (answer !== undefined) return answer;
      } catch (error) {
        // Who waits for the first build of another process waits until that is over, one way or the other.
        if (!(error instanceof UnbuiltError) || this.#deps.shutdown.aborted) moved++;
        if (error instanceof UnbuiltError) await this.#buildFirst();
        else if (error instanceof PageBrokenError) await this.#mend(error);
        else if (!(error instanceof MovedError)) throw error;
        // A page that is missing though nothing moves was taken away by others.
        else if (moved === ATTEMPTS / 2) await this.build();
      }
    }
    throw new DomainError("contention", "The index of runs changed too often while it was read: try again.");
  }
}

const isFolded = (step: Step): boolean => step === "folded" || step === "drained";

/** Whether the clause asks for nothing but the type of the state. */
function asksOnlyType(clause: Clause): boolean {
  if (clause.kind === "and" || clause.kind === "or") return clause.clauses.every(asksOnlyType);
  return clause.kind === "always" || clause.kind === "never" || clause.kind === "type";
}
