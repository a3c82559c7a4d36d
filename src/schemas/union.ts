/**
 * The names of a union's branches, for its refusals: the reference puts them into the place of each error. They
 * travel as the message of zod's issue, since that is all that a union may say of itself.
 */
const PREFIX = "branches:";

/** The `error` of a `z.union` whose branches have these names, in order. */
export const branches = (...names: string[]): string => PREFIX + JSON.stringify(names);

/** The names in a union's message; none for a union without. */
export function branchNames(message: string): string[] {
  return message.startsWith(PREFIX) ? JSON.parse(message.slice(PREFIX.length)) as string[] : [];
}
