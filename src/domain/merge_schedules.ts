/** What becomes of a deployment's schedules when an update lists some. */

interface Slugged {
  slug: string | null;
}

/** A schedule as an update gives it. */
export interface GivenSchedule {
  slug?: string | null | undefined;
  /** The slug of the schedule that this one takes the place of. */
  replaces?: string | null | undefined;
}

export type Merged<S, G> =
  /** As it was, or to be changed as given. */
  | { kept: S; change?: G }
  /** To be made. */
  | { made: G };

/** A list of schedules that contradicts itself or those that are there. `index` is the place in the list. */
export class ScheduleListError extends Error {
  override readonly name = "ScheduleListError";
  readonly index: number;
  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/**
 * When all schedules that are there have a slug, and all given ones too, the given ones are changed or added by slug
 * and the others stay: so an empty list changes nothing. When some that are there have none, the given ones replace
 * all.
 *
 * @throws ScheduleListError a given schedule without slug beside schedules with one; two with the same target
 */
export function mergeSchedules<S extends Slugged, G extends GivenSchedule>(
  existing: readonly S[],
  given: readonly G[],
): Merged<S, G>[] {
  const bySlug = new Map(existing.flatMap((one) => one.slug === null ? [] : [[one.slug, one] as const]));
  refuseDoubles(given, bySlug);
  if (existing.length === 0 || bySlug.size < existing.length) return given.map((made) => ({ made }));
  const without = given.findIndex(({ slug }) => !slug);
  if (without >= 0) {
    throw new ScheduleListError(
      without,
      "The deployment's schedules have slugs, so each given one needs a slug to tell which it is.",
    );
  }
  const changes = new Map(given.map((one) => [targetOf(one, bySlug), one]));
  return [
    ...existing.map((kept) => {
      const change = changes.get(kept.slug ?? "");
      return change ? { kept, change } : { kept };
    }),
    ...given.filter((one) => !bySlug.has(targetOf(one, bySlug))).map((made) => ({ made })),
  ];
}

/** The slug of the schedule that is meant: the replaced one while it is there, else its own. */
const targetOf = ({ slug, replaces }: GivenSchedule, bySlug: ReadonlyMap<string, unknown>): string =>
  replaces && bySlug.has(replaces) ? replaces : slug ?? "";

/** No two schedules may end with the same slug, nor be made from the same one. */
function refuseDoubles(given: readonly GivenSchedule[], bySlug: ReadonlyMap<string, unknown>): void {
  const slugs = new Set<string>();
  const targets = new Set<string>();
  for (const [index, one] of given.entries()) {
    if (!one.slug) continue;
    const target = targetOf(one, bySlug);
    if (slugs.has(one.slug) || targets.has(target)) {
      throw new ScheduleListError(
        index,
        `Two of the schedules are for the slug '${one.slug}' or replace the same one.`,
      );
    }
    if (target !== one.slug && bySlug.has(one.slug)) {
      throw new ScheduleListError(
        index,
        `The schedule '${target}' cannot become '${one.slug}': there is one of that name.`,
      );
    }
    slugs.add(one.slug);
    targets.add(target);
  }
}
