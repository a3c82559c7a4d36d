import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { kvConformance } from "../testing/kv_conformance.ts";

kvConformance("in memory", () => Deno.openKv(":memory:"));

kvConformance("in a file", async () => {
  const folder = await Deno.makeTempDir();
  const kv = await Deno.openKv(`${folder}/kv.sqlite3`);
  const close = kv[Symbol.dispose].bind(kv);
  kv[Symbol.dispose] = () => {
    close();
    Deno.removeSync(folder, { recursive: true });
  };
  return kv;
});

kvConformance("of the simulation", () => Promise.resolve(new FakeKv(new FakeKvStore())));
