import type { FakeKvStore } from "./fake_kv_store.ts";

/**
 * The stream of a watch: the current state first, then the state after each change; several changes in between are
 * one answer.
 */
export class FakeWatch<T> {
  readonly stream: ReadableStream<T>;
  readonly #unsubscribe: () => void;
  #change = Promise.withResolvers<void>();
  #controller: ReadableStreamDefaultController<T> | undefined;

  constructor(store: FakeKvStore, keys: readonly Deno.KvKey[], read: () => Promise<T>) {
    this.#change.resolve();
    this.#unsubscribe = store.subscribe(keys, () => this.#change.resolve());
    this.stream = new ReadableStream<T>({
      start: (controller) => void (this.#controller = controller),
      pull: async () => {
        await this.#change.promise;
        this.#change = Promise.withResolvers();
        const state = await read();
        this.#controller?.enqueue(state);
      },
      cancel: () => this.#stop(),
    }, { highWaterMark: 0 });
  }

  /** Ends the stream. */
  close(): void {
    const controller = this.#controller;
    this.#stop();
    controller?.close();
  }

  #stop(): void {
    this.#unsubscribe();
    this.#controller = undefined;
  }
}
