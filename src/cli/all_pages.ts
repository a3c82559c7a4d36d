/** The largest page that the server gives. */
export const PAGE_SIZE = 200;

/** Everything that a list has, page by page. */
export async function allPages<T>(
  list: (page: { limit: number; offset: number }) => Promise<readonly T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const page = await list({ limit: PAGE_SIZE, offset: all.length });
    all.push(...page);
    if (page.length < PAGE_SIZE) return all;
  }
}
