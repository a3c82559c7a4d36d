import { WORKER_TYPES } from "../domain/worker_types.ts";
import { DomainError } from "../errors.ts";

const VIEWS: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ["aggregate-worker-metadata", WORKER_TYPES],
]);

/** A view of the collections that clients know. @throws DomainError `not_found` */
export function collectionView(name: string): Readonly<Record<string, unknown>> {
  const view = VIEWS.get(name);
  if (!view) {
    const known = [...VIEWS.keys()].join(", ");
    throw new DomainError("not_found", `There is no view '${name}'. The views are: ${known}.`);
  }
  return view;
}
