import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { lockOwner, OwnedError } from "../../src/runtime/owner_lock.ts";

Deno.test("lockOwner() gives a KV file to one owner, who says who it is", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/kv.sqlite3`;
  await Deno.writeTextFile(`${file}.owner`, "left behind by a process that was killed");
  const first = await lockOwner(file, systemClock);
  await first.describe("process 1 at http://127.0.0.1:1");
  const error = await assertRejects(() => lockOwner(file, systemClock), OwnedError);
  assertEquals(error.owner, "process 1 at http://127.0.0.1:1");
  first[Symbol.dispose]();
  const second = await lockOwner(file, systemClock);
  second[Symbol.dispose]();
  await Deno.remove(folder, { recursive: true });
});
