/**
 * Keys as Deno KV orders them: by the bytes of their encoded form, each byte here one character of a string, since
 * strings of such characters compare like bytes. Source: denokv `proto/codec.rs`.
 */

const TAG = {
  bytes: "\x01",
  text: "\x02",
  bigintZero: 0x14,
  number: "\x21",
  false: "\x26",
  true: "\x27",
} as const;

/** The encoded form of a key: strings of this kind compare like the keys in KV. Throws a TypeError for a bad part. */
export function encodeKey(key: Deno.KvKey): string {
  return key.map(encodePart).join("");
}

/** Where the keys below `prefix` begin and end (exclusive); the key `prefix` itself is not among them. */
export function rangeOfPrefix(prefix: Deno.KvKey): { start: string; end: string } {
  const encoded = encodeKey(prefix);
  return { start: `${encoded}\x00`, end: `${encoded}\xff` };
}

/** A key for people: `run/0199…`. */
export function keyText(key: Deno.KvKey): string {
  return key.map((part) => part instanceof Uint8Array ? `0x${part.toHex()}` : String(part)).join("/");
}

function encodePart(part: unknown): string {
  if (typeof part === "string") return TAG.text + terminated(utf8(part));
  if (typeof part === "number") return TAG.number + encodeNumber(part);
  if (part instanceof Uint8Array) return TAG.bytes + terminated(binary(part));
  if (typeof part === "bigint") return encodeBigint(part);
  if (typeof part === "boolean") return part ? TAG.true : TAG.false;
  throw new TypeError("expected string, number, bigint, ArrayBufferView, boolean");
}

/** A zero byte ends the part, so zero bytes within it are escaped. */
function terminated(bytes: string): string {
  return `${bytes.replaceAll("\x00", "\x00\xff")}\x00`;
}

function utf8(text: string): string {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text : binary(new TextEncoder().encode(text));
}

function binary(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** IEEE 754, with the sign bit turned for positive numbers and all bits for negative ones. */
function encodeNumber(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const negative = bits >> 63n === 1n;
  view.setBigUint64(0, negative ? ~bits : bits | (1n << 63n));
  return binary(new Uint8Array(view.buffer));
}

/** The length stands in the tag (above eight bytes, beside it), so that longer numbers lie further from zero. */
function encodeBigint(value: bigint): string {
  const negative = value < 0n;
  const hex = (negative ? -value : value).toString(16);
  const bytes = value === 0n ? new Uint8Array() : Uint8Array.fromHex(hex.length % 2 ? `0${hex}` : hex);
  const length = bytes.length;
  const beside = length > 8 ? [length] : [];
  const tag = TAG.bigintZero + (negative ? -1 : 1) * Math.min(length, 9);
  const rest = [...beside, ...bytes].map((byte) => negative ? 255 - byte : byte);
  return String.fromCharCode(tag, ...rest);
}
