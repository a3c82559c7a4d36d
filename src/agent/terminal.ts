import type { Clock } from "../runtime/clock.ts";
import { followOutput } from "./follow_output.ts";
import { LinkedSignal, whenAborted } from "./linked_signal.ts";
import { Turns } from "./turns.ts";

/** How long the end of an agent may be held up by a terminal that takes nothing. */
const LAST_WORDS_MS = 1000;

/**
 * What runs write, on the agent's own terminal, each line behind the name of its run. A terminal that is slow or stopped
 * holds up nothing but itself: each run's output is read a second time, from its file, as fast as the terminal takes it.
 */
export class Terminal {
  readonly #write: (text: string) => Promise<void>;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #shows = new Set<Promise<void>>();
  /** One text after the other, so that lines of two runs never mix. */
  readonly #turn = new Turns(1);

  /** @param write resolves when the text was taken; never rejects */
  constructor(write: (text: string) => Promise<void>, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  /**
   * Shows all that a run writes. The file may be removed once this was called: it is open already.
   *
   * @param ended aborts when the process has ended
   */
  show(run: string, outputFile: string, ended: AbortSignal): void {
    const followed = { outputFile, ended, abandoned: this.#over.signal };
    const show = followOutput(followed, this.#clock, (lines) => this.#print(run, lines), this.#turn)
      .catch(() => {}) // what cannot be shown was sent to the server all the same
      .finally(() => this.#shows.delete(show));
    this.#shows.add(show);
  }

  /** Shows the rest; not for long when the terminal does not take it. */
  async close(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([Promise.all(this.#shows), this.#clock.sleep(LAST_WORDS_MS, enough.signal)]);
    enough.abort();
    this.#over.abort();
    await Promise.all(this.#shows);
  }

  async #print(run: string, lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${run} | ${line}\n`).join("");
    using over = new LinkedSignal(this.#over.signal);
    await Promise.race([this.#write(text), whenAborted(over.signal)]);
  }
}
