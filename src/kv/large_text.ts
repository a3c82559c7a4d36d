import { DomainError } from "../errors.ts";
import type { LargeText } from "../schemas/records.ts";
import { Commit } from "./commit.ts";
import { aheadKey, chunkKey } from "./keys.ts";
import { CHUNK_BYTES, COMMIT_PAYLOAD_BYTES } from "./limits.ts";
import { get, getMany } from "./read.ts";

/** Texts up to this many UTF-8 bytes stay in their record. */
const INLINE_BYTES = 4_000;

/** A text made ready for storing: what goes into the record, and the pieces that go beside it. */
export interface PackedText {
  stored: LargeText;
  pieces: Uint8Array[];
}

/** `version` names the pieces and must be fresh. */
export function packText(text: string, version: string): PackedText {
  // A UTF-16 unit is at most three bytes, so short texts need no encoding to know that they fit.
  if (text.length * 3 <= INLINE_BYTES) return { stored: text, pieces: [] };
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= INLINE_BYTES) return { stored: text, pieces: [] };
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) pieces.push(bytes.slice(at, at + CHUNK_BYTES));
  return { stored: { version, chunks: pieces.length }, pieces };
}

/**
 * Puts the pieces into the commit of their record; pieces too large for one commit are stored ahead of it, under
 * their fresh version. Tells which were.
 */
export async function storePieces(
  kv: Deno.Kv,
  commit: Commit,
  texts: readonly PackedText[],
): Promise<LargeText[]> {
  const inPieces = texts.filter(({ pieces }) => pieces.length > 0);
  const bytes = inPieces.flatMap(({ pieces }) => pieces).reduce((sum, piece) => sum + piece.length, 0);
  if (bytes > COMMIT_PAYLOAD_BYTES) {
    for (const text of inPieces) pointAt(commit, await storeAhead(kv, text));
    return inPieces.map(({ stored }) => stored);
  }
  for (const { stored, pieces } of inPieces) {
    if (typeof stored !== "string") setPieces(commit, stored.version, pieces);
  }
  return [];
}

/**
 * Stores the pieces ahead of a record whose commit has to stay small, with a mark that nothing points at them yet.
 * Tells what goes into the record; its commit has to {@link pointAt} it.
 */
export async function storeAhead(kv: Deno.Kv, { stored, pieces }: PackedText): Promise<LargeText> {
  if (typeof stored === "string") return stored;
  const { version } = stored;
  const perCommit = COMMIT_PAYLOAD_BYTES / CHUNK_BYTES;
  for (let first = 0; first < pieces.length; first += perCommit) {
    const commit = new Commit().checkAbsent(chunkKey(version, first));
    if (first === 0) commit.set(aheadKey(version), pieces.length);
    await setPieces(commit, version, pieces.slice(first, first + perCommit), first).send(kv);
  }
  return stored;
}

function setPieces(commit: Commit, version: string, pieces: readonly Uint8Array[], first = 0): Commit {
  pieces.forEach((piece, i) => commit.set(chunkKey(version, first + i), piece));
  return commit;
}

/** The record of this commit points at the text from now on. */
export function pointAt(commit: Commit, stored: LargeText | null | undefined): void {
  if (isInPieces(stored)) commit.delete(aheadKey(stored.version));
}

/** Deletes what {@link storeAhead} stored, unless a record points at it. Not while a commit may still be under way. */
export async function dropAhead(kv: Deno.Kv, stored: LargeText | null | undefined): Promise<void> {
  if (!isInPieces(stored)) return;
  const mark = await get(kv, aheadKey(stored.version));
  if (mark.value === null) return;
  const commit = new Commit().check(mark).delete(mark.key);
  dropPieces(commit, stored);
  await commit.send(kv);
}

const isInPieces = (stored: LargeText | null | undefined): stored is Exclude<LargeText, string> =>
  typeof stored === "object" && stored !== null;

/** Deletes the pieces of a text together with the record that pointed at them. */
export function dropPieces(commit: Commit, stored: LargeText | null | undefined): void {
  if (!isInPieces(stored)) return;
  for (let no = 0; no < stored.chunks; no++) commit.delete(chunkKey(stored.version, no));
}

/** The text again. Throws `contention` when it was replaced while being read. */
export async function readText(kv: Deno.Kv, stored: LargeText): Promise<string> {
  if (typeof stored === "string") return stored;
  const [text] = await readTexts(kv, [stored]);
  return text!;
}

/** Several texts, in few reads. Throws `contention` when one was replaced while being read. */
export async function readTexts(kv: Deno.Kv, stored: readonly LargeText[]): Promise<string[]> {
  const keys = stored.map((text) => typeof text === "string" ? [] : chunkKeys(text));
  const pieces = (await getMany(kv, keys.flat())).map(({ value }) => value)[Symbol.iterator]();
  return stored.map((text) => {
    if (typeof text === "string") return text;
    const decoder = new TextDecoder();
    let whole = "";
    for (let no = 0; no < text.chunks; no++) {
      const piece = pieces.next().value;
      if (!piece) {
        throw new DomainError("contention", "The value was replaced while it was read: try again.");
      }
      whole += decoder.decode(piece, { stream: true });
    }
    return whole + decoder.decode();
  });
}

const chunkKeys = ({ version, chunks }: { version: string; chunks: number }) =>
  Array.from({ length: chunks }, (_, no) => chunkKey(version, no));
