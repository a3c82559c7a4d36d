/** Random numbers as the program sees them. The simulation brings its own, made from a seed. */
export interface Random {
  /** A number in [0, 1). For jitter and names. */
  unit(): number;
  /** `length` bytes that nobody can guess. For tokens and ids. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export const systemRandom: Random = {
  unit: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** One of `items` (not empty), each with equal chance. */
export function pickOne<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random.unit() * items.length)] as T;
}
