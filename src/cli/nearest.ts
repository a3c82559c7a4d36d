import { closestString } from "@std/text/closest-string";
import { ApiError } from "../client/http.ts";
import { CliError } from "./errors.ts";

/** Up to `count` of `names`, the most similar to `name` first. */
export function nearest(name: string, names: readonly string[], count = 3): string[] {
  const left = [...new Set(names)];
  const found: string[] = [];
  while (found.length < count && left.length > 0) {
    const next = closestString(name, left);
    found.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return found;
}

/** An object that the user named. */
export interface Target {
  /** `work pool`, as it stands in messages. */
  kind: string;
  name: string;
  /** The names that exist; absent where no name could be near, as for an id. */
  names?: () => Promise<readonly string[]>;
}

/**
 * The answer of `request`.
 *
 * @throws CliError with the nearest existing names when the server has no such object
 */
export async function requireTarget<T>(request: Promise<T>, target: Target): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404 || error.isNoRoute) throw error;
    throw new CliError(noSuch(target.kind, target.name, await target.names?.()), { cause: error });
  }
}

/** `There is no work pool 'my-pol'. Nearest names: 'my-pool'.` */
export function noSuch(kind: string, name: string, names?: readonly string[]): string {
  if (names === undefined) return `There is no ${kind} '${name}'.`;
  const near = nearest(name, names).map((found) => `'${found}'`).join(", ");
  return `There is no ${kind} '${name}'. ${near === "" ? `There is no ${kind} yet.` : `Nearest: ${near}.`}`;
}
