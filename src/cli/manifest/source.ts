import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Problem } from "./problem.ts";

/** Where in a document a value stands. */
export type Path = readonly (string | number)[];

/** A manifest as plain values that still know their lines. */
export interface Source {
  value: unknown;
  /** The line of the value at `path`, or of the nearest one around it that is written down. */
  lineOf: (path: Path) => number;
  /** The line of the key at the end of `path`. */
  lineOfKey: (path: Path) => number;
}

/**
 * Reads YAML, of which JSON is a part. Duplicate keys, several documents and aliases that multiply without bound are
 * problems, as is everything else that is no YAML 1.2.
 */
export function readSource(text: string): { source: Source | undefined; problems: Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const problems = document.errors.map(({ pos, message }) => ({
    line: lineAt(pos[0]),
    message: `This is no valid YAML: ${message.replaceAll("\n", " ")}`,
  }));
  if (problems.length > 0) return { source: undefined, problems };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { source: { value, ...buildLines(document, lineAt) }, problems };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { source: undefined, problems: [{ line: 1, message: `Too many aliases: ${error.message}` }] };
  }
}

function buildLines(document: Document.Parsed, lineAt: (offset: number) => number) {
  const lineOfNode = (node: unknown, fallback: number) =>
    isNode(node) && node.range ? lineAt(node.range[0]) : fallback;

  function find(path: Path): { line: number; keyLine: number } {
    let node: unknown = document.contents;
    let line = lineOfNode(node, 1);
    let keyLine = line;
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(document);
      const pair = isMap(node)
        ? node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === String(part))
        : undefined;
      const next = pair?.value ?? (isSeq(node) ? node.items[Number(part)] : undefined);
      if (pair === undefined && next === undefined) break;
      keyLine = lineOfNode(pair?.key, lineOfNode(next, line));
      // An aliased value is written elsewhere; the place where it is used says more.
      line = isAlias(next)
        ? keyLine
        : isScalar(next) && next.value === null
        ? keyLine
        : lineOfNode(next, keyLine);
      node = next;
    }
    return { line, keyLine };
  }
  return {
    lineOf: (path: Path) => find(path).line,
    lineOfKey: (path: Path) => find(path).keyLine,
  };
}
