import stringWidth from "string-width";

/** Columns that `text` takes on a terminal; wide characters take two. */
export const widthOf = (text: string): number => stringWidth(text);

/**
 * `text` on one line, without the control characters by which a name could move the cursor or change colours: they
 * are shown as `\n`, `\u001b` and so on.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (char) => JSON.stringify(char).length > 3 ? JSON.stringify(char).slice(1, -1) : escapeOf(char),
  );
}

const escapeOf = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** `text` in at most `width` columns; `…` stands for what was cut off. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let taken = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = widthOf(segment);
    if (taken + next > width - 1) break;
    kept += segment;
    taken += next;
  }
  return `${kept}…`;
}

export type Align = "left" | "right" | "center";

/** `text` with spaces up to `width` columns; longer text stays as it is. */
export function pad(text: string, width: number, align: Align = "left"): string {
  const missing = Math.max(0, width - widthOf(text));
  const before = align === "left" ? 0 : align === "right" ? missing : Math.floor(missing / 2);
  return `${" ".repeat(before)}${text}${" ".repeat(missing - before)}`;
}

/** `text` broken at spaces into lines of at most `width` columns; longer words are cut. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").map((given) => truncate(given, width))) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
