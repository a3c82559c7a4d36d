/**
 * Limits of Deno KV. The strictest of: the client in Deno (`ext/kv/config.rs`), the KV Connect server denokv
 * (`proto/limits.rs`), both read 2026-08 and confirmed by the conformance suite.
 */

/** Checks in one commit. Deno alone would allow 100; denokv allows 10. */
export const MAX_CHECKS = 10;
/** Mutations in one commit are 1,000; half of them leaves room for what one decision adds. */
export const BATCH_MUTATIONS = 600;
/** Payload of one commit is 819,200 bytes, keys counted twice; a batch stops growing at this estimate. */
export const BATCH_BYTES = 500_000;
/** Bytes of one value are 65,536; the rest is left for serialisation. */
export const CHUNK_BYTES = 60_000;
/** Payload of one commit is 819,200 bytes; larger texts are written ahead of their record. */
export const COMMIT_PAYLOAD_BYTES = 600_000;
/** Keys of one `getMany`. */
export const GET_MANY_KEYS = 10;
/** Entries of one batch of a list: what is read together is one snapshot. */
export const LIST_BATCH = 1_000;
/** Keys of one `watch`. */
export const WATCH_KEYS = 10;
/** Queues in one chunk of a pool's configuration. */
export const QUEUES_PER_CHUNK = 200;
/** Largest queue number, and largest count of taken slots of one queue: both are stored in 16 bits. */
export const MAX_UINT16 = 65_535;
