import { DomainError } from "../../errors.ts";
import type { Batch } from "./batch.ts";

/** The pool was deleted. */
export class PoolGoneError extends DomainError {
  constructor() {
    super("not_found", "The work pool does not exist any more.");
  }
}

/** An operation decided at a pool's gate. `R` is what its caller gets once the batch is committed. */
export interface Operation<R> {
  /** `state` operations are decided first, then at most one `configure` a batch, then what takes slots. */
  readonly kind: "state" | "configure";
  /** The run it is about: operations on one run keep their order. */
  readonly run?: string;
  /**
   * Decides on the batch as it stands, and stages its changes only when nothing can fail any more. Throws a
   * DomainError to refuse: its neighbours go on.
   *
   * @param maysTake whether slots may be taken already; `"postpone"` asks to be called again when they may
   */
  decide(batch: Batch, mayTake: boolean): Promise<{ result: R } | "postpone">;
}

/** An operation in the gatekeeper's queue. */
export interface Submitted {
  operation: Operation<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}
