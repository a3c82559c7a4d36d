import type { FakeMutation } from "./fake_kv_store.ts";
import { encodeKey } from "./kv_key_order.ts";

type CommitResult = Promise<Deno.KvCommitResult | Deno.KvCommitError>;
type Send = (checks: readonly Deno.AtomicCheck[], mutations: readonly FakeMutation[]) => CommitResult;

/** Collects checks and mutations, values copied at once as in KV, and sends them when committed. */
export class FakeAtomicOperation implements Deno.AtomicOperation {
  readonly #checks: Deno.AtomicCheck[] = [];
  readonly #mutations: FakeMutation[] = [];
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  check(...checks: Deno.AtomicCheck[]): this {
    for (const { key, versionstamp } of checks) {
      encodeKey(key);
      if (versionstamp !== null && !/^[0-9a-f]{20}$/.test(versionstamp)) throw new TypeError("Invalid check");
      this.#checks.push({ key, versionstamp });
    }
    return this;
  }

  mutate(...mutations: Deno.KvMutation[]): this {
    for (const mutation of mutations) {
      if (mutation.type === "set") this.set(mutation.key, mutation.value);
      else if (mutation.type === "delete") this.delete(mutation.key);
      else unsupported(mutation.type);
    }
    return this;
  }

  set(key: Deno.KvKey, value: unknown): this {
    this.#mutations.push({ type: "set", key, value: structuredClone(value) });
    return this;
  }

  delete(key: Deno.KvKey): this {
    encodeKey(key);
    this.#mutations.push({ type: "delete", key });
    return this;
  }

  commit(): CommitResult {
    return this.#send(this.#checks, this.#mutations);
  }

  sum(): this {
    return unsupported("sum");
  }
  min(): this {
    return unsupported("min");
  }
  max(): this {
    return unsupported("max");
  }
  enqueue(): this {
    return unsupported("enqueue");
  }
}

/** Queues do not exist over KV Connect; counters break atomicity on SQLite. Nothing may use them. */
export function unsupported(what: string): never {
  throw new TypeError(`The fake KV has no ${what}: Sluice must not use it.`);
}
