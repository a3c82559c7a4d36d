/** The largest page that the server gives. */
export const PAGE_SIZE = 200;

export interface Page {
  limit: number;
  offset: number;
}

/** Everything that a list has, page by page. */
export const allPages = <T>(list: (page: Page) => Promise<readonly T[]>): Promise<T[]> =>
  firstOf(Infinity, list);

/**
 * The first `count` of a list, page by page.
 *
 * @param onPage is told how many came with each page
 */
export async function firstOf<T>(
  count: number,
  list: (page: Page) => Promise<readonly T[]>,
  onPage: (items: number) => void = () => {},
): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    const limit = Math.min(PAGE_SIZE, count - all.length);
    const page = await list({ limit, offset: all.length });
    all.push(...page);
    onPage(page.length);
    if (page.length < limit) break;
  }
  return all;
}
