import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { lockOwner, OwnedError } from "../../src/runtime/owner_lock.ts";

async function inFolder(use: (kvFile: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(`${folder}/kv.sqlite3`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// Without `tryLock` (Deno 2.5) a refused attempt waits on, beyond its test: elsewhere the process ends then.
const leavesNothing = "tryLock" in Deno.FsFile.prototype;
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: leavesNothing, sanitizeResources: leavesNothing });

const refusal = async (kvFile: string) =>
  (await assertRejects(() => lockOwner(kvFile, systemClock), OwnedError)).owner;

test("lockOwner() refuses a second owner in the first one's words, until that gives the file up", () =>
  inFolder(async (kvFile) => {
    const first = await lockOwner(kvFile, systemClock);
    assertEquals(await refusal(kvFile), "it is just starting");
    await first.describe("process 1234567 at http://127.0.0.1:4200");
    await first.describe("process 1 at http://127.0.0.1:1");
    assertEquals(await refusal(kvFile), "process 1 at http://127.0.0.1:1");
    assertEquals(await refusal(kvFile), "process 1 at http://127.0.0.1:1");
    first[Symbol.dispose]();
    using second = await lockOwner(kvFile, systemClock);
    await second.describe("process 2");
    assertEquals(await refusal(kvFile), "process 2");
  }));

test("lockOwner() takes over what a killed owner left behind", () =>
  inFolder(async (kvFile) => {
    await Deno.writeTextFile(`${kvFile}.owner`, "process 1 at http://127.0.0.1:1\n");
    using owner = await lockOwner(kvFile, systemClock);
    assertEquals(await refusal(kvFile), "it is just starting");
    await owner.describe("me");
    assertEquals(await Deno.readTextFile(`${kvFile}.owner`), "me\n");
  }));

test("lockOwner() lets files beside each other have owners of their own", () =>
  inFolder(async (kvFile) => {
    using _one = await lockOwner(kvFile, systemClock);
    using _other = await lockOwner(`${kvFile}2`, systemClock);
  }));

test("lockOwner() fails when the file cannot be written", async () => {
  await assertRejects(() => lockOwner("/proc/none/kv.sqlite3", systemClock), Deno.errors.NotFound);
});
