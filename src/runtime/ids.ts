import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** Makes identifiers. One per process, so that the order of ids is the order in which they were made. */
export interface Ids {
  /** A UUID version 7, lower case. Ids of one process strictly increase, also within a millisecond. */
  uuid(): string;
  /** A UUID version 7 that differs from `id`, one of {@link uuid}, in its last 42 bits alone, which are random. */
  kin(id: string): string;
  /** A claim token that nobody can guess: 22 URL-safe characters. */
  token(): string;
  /** An integer below 2^32 that names one commit among the last few of a gate (4 bytes, where a UUID would be 38). */
  op(): number;
}

const COUNTER_LIMIT = 2 ** 32;

/**
 * Layout of RFC 9562 §5.7 with a 32-bit counter (§6.2, method 1): 48 bits of milliseconds, version, 12 + 20 bits of
 * counter around the variant, 42 random bits. When the clock goes back, the old millisecond goes on counting.
 */
export function buildIds(clock: Clock, random: Random): Ids {
  let millisecond = 0;
  let counter = 0;

  function tick(): void {
    const now = Math.floor(clock.now() / 1000);
    if (now > millisecond) {
      millisecond = now;
      // Starts in the lower half, so that a burst within one millisecond cannot run over.
      counter = new DataView(random.bytes(4).buffer).getUint32(0) >>> 1;
    } else if (++counter >= COUNTER_LIMIT) {
      millisecond++;
      counter = 0;
    }
  }

  return {
    uuid() {
      tick();
      const high = Math.floor(counter / 2 ** 20); // 12 bits
      const low = counter % 2 ** 20; // 20 bits
      const rest = random.bytes(6);
      const time = millisecond.toString(16).padStart(12, "0");
      const variant = (0x8000 | (low >> 6)).toString(16);
      rest[0] = ((low & 0x3f) << 2) | (rest[0]! & 0x03);
      const hex = `${time}7${high.toString(16).padStart(3, "0")}${variant}${toHex(rest)}`;
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
        "-",
      );
    },
    kin(id) {
      const rest = random.bytes(6);
      rest[0] = (parseInt(id.slice(24, 26), 16) & 0xfc) | (rest[0]! & 0x03);
      return `${id.slice(0, 24)}${toHex(rest)}`;
    },
    token: () => toBase64Url(random.bytes(16)),
    op: () => new DataView(random.bytes(4).buffer).getUint32(0),
  };
}

/** The first and the last that {@link Ids.kin} could answer for the id that `kin` was made of. That id is in between. */
export function kinRange(kin: string): { first: string; last: string } {
  const shared = parseInt(kin.slice(24, 26), 16) & 0xfc;
  const upTo = (bits: number) => `${kin.slice(0, 24)}${(shared | bits).toString(16).padStart(2, "0")}`;
  return { first: `${upTo(0x00)}0000000000`, last: `${upTo(0x03)}ffffffffff` };
}

/** When the UUID version 7 was made, in milliseconds since the epoch. */
export const millisecondOf = (uuid: string): number => parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
