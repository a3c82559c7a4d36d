/** The query language of text searches. */

/** What a text has to have, in lower case. */
export interface TextQuery {
  /** One of these, unless there are none. */
  some: string[];
  /** All of these. */
  all: string[];
  /** None of these. */
  none: string[];
}

/** A sign, and then words in quotes (the last one may be left open), or all up to the next space. */
const TERM = /([-!+]?)(?:"((?:\\.|[^"\\])*)(?:"|$)|(\S+))/gs;

/**
 * Reads a query: terms stand apart by spaces and any of them will do; `-term` and `!term` must not occur, `+term` must;
 * `"several words"` are one term, in which `\"` is a quote. Capitals do not count.
 */
export function parseTextQuery(query: string): TextQuery {
  const parsed: TextQuery = { some: [], all: [], none: [] };
  for (const [, sign, quoted, word] of query.matchAll(TERM)) {
    const term = (quoted?.replace(/\\(.)/gs, "$1") ?? word ?? "").toLowerCase();
    // A sign that stands alone is read as a word: it is none.
    if (term === "" || (sign === "" && /^[-!+]$/.test(term))) continue;
    if (sign === "+") parsed.all.push(term);
    else if (sign === "") parsed.some.push(term);
    else parsed.none.push(term);
  }
  return parsed;
}

/** Whether texts in lower case fit together, of which each term has to stand in one. A query without terms fits all. */
export function matchesText({ some, all, none }: TextQuery, ...texts: string[]): boolean {
  const has = (term: string) => texts.some((text) => text.includes(term));
  return !none.some(has) && all.every(has) && (some.length === 0 || some.some(has));
}
