/** Priorities of a pool's queues: lower goes first; the rules are the reference's (docs/api.md, "Priorities"). */

/** What the functions need of a queue. */
export interface Prioritised {
  id: string;
  priority: number;
}

/** The lowest free number: the first gap, otherwise one above the highest. */
export function firstFreePriority(queues: readonly Prioritised[]): number {
  const taken = new Set(queues.map(({ priority }) => priority));
  let priority = 1;
  while (taken.has(priority)) priority++;
  return priority;
}

/** The queues that have to move so that `priority` is free: those at that number and directly following, each by one. */
export function makeRoom<Q extends Prioritised>(queues: readonly Q[], priority: number): Q[] {
  const moved: Q[] = [];
  let at = priority;
  for (const queue of queues.toSorted((a, b) => a.priority - b.priority)) {
    if (queue.priority !== at && !(queue.priority < at && queue.priority >= priority)) continue;
    moved.push({ ...queue, priority: queue.priority + 1 });
    at = queue.priority + 1;
  }
  return moved;
}

/** All queues after `id` got `priority`; its old number is free first. */
export function withPriority<Q extends Prioritised>(queues: readonly Q[], id: string, priority: number): Q[] {
  const others = queues.filter((queue) => queue.id !== id);
  const moved = new Map(makeRoom(others, priority).map((queue) => [queue.id, queue]));
  return queues.map((queue) => queue.id === id ? { ...queue, priority } : moved.get(queue.id) ?? queue);
}
