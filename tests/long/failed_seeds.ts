/** Seeds of the simulation that failed once, each with what it found. They run in `deno task test` for good. */
export const FAILED_SEEDS: readonly { seed: number; found: string }[] = [
  { seed: 185, found: "a queue deleted while it was read was a TypeError (500) instead of not_found" },
  { seed: 100302, found: "the observer took two steps of one commit for one" },
  { seed: 800181, found: "a client that left while the plan was read let the next claim overtake its run" },
  { seed: 522764035, found: "the observer took a queue that is being deleted for one that grants" },
  { seed: 522764038, found: "the same, in a commit that deletes the queue and grants from another" },
  { seed: 532377398, found: "the observer remembered a run at a place that it had left and come back to" },
];
