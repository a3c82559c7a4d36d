/**
 * A signal that aborts with the first of several. Unlike `AbortSignal.any`, whose result a long-lived source keeps
 * for as long as it lives once somebody listens, disposing this one leaves nothing behind.
 */
export class LinkedSignal implements Disposable {
  readonly #own = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #follow = () => this.#own.abort(this.#sources.find((source) => source.aborted)?.reason);

  constructor(...sources: AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) {
      if (source.aborted) this.#follow();
      else source.addEventListener("abort", this.#follow, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) source.removeEventListener("abort", this.#follow);
  }
}

/** Resolves when `signal` aborts. For signals that live as short as who waits. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
