import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { lockOwner, OwnedError } from "../../src/runtime/owner_lock.ts";

async function inFolder(test: (kvFile: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/kv.sqlite3`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const refusal = async (kvFile: string) =>
  (await assertRejects(() => lockOwner(kvFile, systemClock), OwnedError)).owner;

Deno.test("lockOwner() refuses a second owner in the first one's words, until that gives the file up", () =>
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

Deno.test("lockOwner() takes over what a killed owner left behind", () =>
  inFolder(async (kvFile) => {
    await Deno.writeTextFile(`${kvFile}.owner`, "process 1 at http://127.0.0.1:1\n");
    using owner = await lockOwner(kvFile, systemClock);
    assertEquals(await refusal(kvFile), "it is just starting");
    await owner.describe("me");
    assertEquals(await Deno.readTextFile(`${kvFile}.owner`), "me\n");
  }));

Deno.test("lockOwner() lets files beside each other have owners of their own", () =>
  inFolder(async (kvFile) => {
    using _one = await lockOwner(kvFile, systemClock);
    using _other = await lockOwner(`${kvFile}2`, systemClock);
  }));

Deno.test("lockOwner() fails when the file cannot be written", async () => {
  await assertRejects(() => lockOwner("/proc/none/kv.sqlite3", systemClock), Deno.errors.NotFound);
});
