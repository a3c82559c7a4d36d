import type { Random } from "../../src/runtime/random.ts";

/**
 * Random numbers that depend on nothing but the seed: the generator sfc32, three words of state and a counter.
 * The same seed and the same calls give the same numbers on every machine.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x51a1ce;
    // The first numbers of near seeds resemble each other.
    for (let i = 0; i < 12; i++) this.#word();
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  unit(): number {
    return this.#word() / 2 ** 32;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#word() >>> 24);
  }

  /** An integer from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.unit() * below);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Another generator that follows from this one and `name`, so that its calls do not move this one's numbers. */
  fork(name: string): SeededRandom {
    let hash = this.#word();
    for (const char of name) hash = (Math.imul(hash, 31) + char.codePointAt(0)!) | 0;
    return new SeededRandom(hash >>> 0);
  }
}
