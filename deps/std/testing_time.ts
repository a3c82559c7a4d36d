// The part of `@std/testing/time` that the tests use. It exists on no npm package, hence over @sinonjs/fake-timers.
import FakeTimers from "@sinonjs/fake-timers";

export class FakeTime implements Disposable {
  readonly #timers: ReturnType<typeof FakeTimers.install>;

  constructor(start: number = Date.now()) {
    this.#timers = FakeTimers.install({
      now: start,
      toFake: ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"],
    });
  }
  get now(): number {
    return this.#timers.now;
  }
  tick(ms = 0): void {
    this.#timers.tick(ms);
  }
  async tickAsync(ms = 0): Promise<void> {
    await this.#timers.tickAsync(ms);
  }
  restore(): void {
    this.#timers.uninstall();
  }
  [Symbol.dispose](): void {
    this.restore();
  }
}
