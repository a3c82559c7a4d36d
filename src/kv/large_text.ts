import { DomainError } from "../errors.ts";
import type { LargeText } from "../schemas/records.ts";
import { Commit } from "./commit.ts";
import { chunkKey } from "./keys.ts";
import { CHUNK_BYTES, COMMIT_PAYLOAD_BYTES } from "./limits.ts";
import { getMany } from "./read.ts";

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
 * their fresh version, where nothing points at them until the record does.
 */
export async function storePieces(kv: Deno.Kv, commit: Commit, texts: readonly PackedText[]): Promise<void> {
  const bytes = texts.flatMap((text) => text.pieces).reduce((sum, piece) => sum + piece.length, 0);
  for (const { stored, pieces } of texts) {
    if (typeof stored === "string") continue;
    for (const [no, piece] of pieces.entries()) {
      const key = chunkKey(stored.version, no);
      if (bytes <= COMMIT_PAYLOAD_BYTES) commit.set(key, piece);
      else await new Commit().checkAbsent(key).set(key, piece).send(kv);
    }
  }
}

/** Stores the pieces ahead of a record whose commit has to stay small. Tells what goes into the record. */
export async function storeAhead(kv: Deno.Kv, { stored, pieces }: PackedText): Promise<LargeText> {
  if (typeof stored === "string") return stored;
  const perCommit = COMMIT_PAYLOAD_BYTES / CHUNK_BYTES;
  for (let first = 0; first < pieces.length; first += perCommit) {
    const commit = new Commit().checkAbsent(chunkKey(stored.version, first));
    pieces.slice(first, first + perCommit).forEach((piece, i) =>
      commit.set(chunkKey(stored.version, first + i), piece)
    );
    await commit.send(kv);
  }
  return stored;
}

/** Deletes the pieces of a text together with the record that pointed at them. */
export function dropPieces(commit: Commit, stored: LargeText | null | undefined): void {
  if (stored === null || stored === undefined || typeof stored === "string") return;
  for (let no = 0; no < stored.chunks; no++) commit.delete(chunkKey(stored.version, no));
}

/** The text again. Throws `contention` when it was replaced while being read. */
export async function readText(kv: Deno.Kv, stored: LargeText): Promise<string> {
  if (typeof stored === "string") return stored;
  const keys = Array.from({ length: stored.chunks }, (_, no) => chunkKey(stored.version, no));
  const decoder = new TextDecoder();
  let text = "";
  for (const entry of await getMany(kv, keys)) {
    if (!entry.value) {
      throw new DomainError("contention", "The value was replaced while it was read: try again.");
    }
    text += decoder.decode(entry.value, { stream: true });
  }
  return text + decoder.decode();
}
