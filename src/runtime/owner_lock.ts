/**
 * One process owns a KV file: a second writer would make checked commits fail with "database is locked". The owner
 * holds an exclusive lock on a file beside the KV file, in which it says who it is; the lock ends with the process,
 * however it ends.
 */
import type { Clock } from "./clock.ts";

/** Another process has the KV file. `owner` is what that process wrote about itself. */
export class OwnedError extends Error {
  override readonly name = "OwnedError";
  readonly owner: string;
  constructor(owner: string) {
    super(`The KV file is in use by another server: ${owner}`);
    this.owner = owner;
  }
}

export interface OwnerLock extends Disposable {
  /** Says who owns the file, for those who come too late. */
  describe(owner: string): Promise<void>;
}

/** How long to wait for a lock where the runtime cannot just try. */
const TRY_MS = 300;

/** @throws OwnedError when another process has it */
export async function lockOwner(kvFile: string, clock: Clock): Promise<OwnerLock> {
  const path = `${kvFile}.owner`;
  const file = await Deno.open(path, { read: true, write: true, create: true });
  if (!await tryLock(file, clock)) {
    const owner = (await Deno.readTextFile(path)).trim() || "it is just starting";
    throw new OwnedError(owner);
  }
  // What is there was written by an owner that has gone.
  await file.truncate(0);
  return {
    async describe(owner) {
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
      await file.write(new TextEncoder().encode(`${owner}\n`));
    },
    [Symbol.dispose]() {
      file.close();
    },
  };
}

/** `FsFile.tryLock` came after Deno 2.5; there a lock that does not come at once is taken as refused. */
async function tryLock(file: Deno.FsFile, clock: Clock): Promise<boolean> {
  if ("tryLock" in file && typeof file.tryLock === "function") {
    const locked = await file.tryLock(true);
    if (!locked) file.close();
    return locked;
  }
  const locked = file.lock(true).then(() => true);
  const decided = new AbortController();
  const given = await Promise.race([locked, clock.sleep(TRY_MS, decided.signal).then(() => false)]);
  decided.abort();
  // The file stays open while the lock is waited for; the process ends right after.
  if (!given) locked.then(() => file.close(), () => {});
  return given;
}
