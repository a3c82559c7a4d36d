import type { CommandContext } from "../context.ts";

/** What takes less is over before anybody reads it. */
const SHOWN_AFTER_MS = 1_000;
const BAR_COLUMNS = 24;

/**
 * Says on standard error how far something is, once it has taken more than a second; nothing where that is no
 * terminal. Disposing wipes it away.
 */
export class Progress implements Disposable {
  readonly #context: CommandContext;
  readonly #label: string;
  /** Undefined when nobody knows how much there is. */
  readonly #total: number | undefined;
  readonly #began: number;
  #done = 0;
  #isShown = false;

  constructor(label: string, total: number | undefined, context: CommandContext) {
    this.#label = label;
    this.#total = total;
    this.#context = context;
    this.#began = context.world.deps.clock.monotonic();
  }

  /** @param count how many more are done; 0 for a sign of life */
  step(count = 1): void {
    this.#done += count;
    const { deps, drawErr, isErrTerminal } = this.#context.world;
    if (!isErrTerminal || deps.clock.monotonic() - this.#began < SHOWN_AFTER_MS) return;
    this.#isShown = true;
    drawErr(`\r\x1b[2K${this.#text()}`);
  }

  #text(): string {
    if (this.#total === undefined) return `${this.#label} ${this.#done === 0 ? "…" : String(this.#done)}`;
    const filled = Math.round(BAR_COLUMNS * Math.min(1, this.#done / Math.max(1, this.#total)));
    const bar = "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
    return `${this.#label} ${bar} ${this.#done}/${this.#total}`;
  }

  [Symbol.dispose](): void {
    if (this.#isShown) this.#context.world.drawErr("\r\x1b[2K");
  }
}
