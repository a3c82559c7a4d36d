/** Compares answers of two servers that make different ids, times and names. */

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a mark stands for; `<1>`, `<2>`, … are ids that have to be the same wherever they stand. */
const MARKS: Record<string, (value: unknown) => boolean> = {
  "<time>": (value) => typeof value === "string" && TIME.test(value),
  "<name>": (value) => typeof value === "string" && /^[a-z]+-[a-z]+$/.test(value),
  "<seconds>": (value) => typeof value === "number" && value >= 0,
};

/** What the reference does not know stands under this key; its clients ignore it. */
const OURS = "sluice";

export class Matcher {
  /** Their ids → ours. */
  readonly #ids = new Map<string, string>();

  /** `text` with our ids. */
  ours(text: string): string {
    return text.replace(/<\d+>/g, (mark) => this.#ids.get(mark) ?? mark);
  }

  /**
   * What differs, each with its place. Ids met for the first time are learnt.
   *
   * @param kept `cut`: theirs is the beginning of an answer; `part`: some fields of each object
   */
  compare(theirs: unknown, ours: unknown, kept: string, at = "$"): string[] {
    const differs = [`${at}: ${JSON.stringify(theirs)} was ${JSON.stringify(ours)}`];
    if (theirs === undefined) return kept === "cut" || ours === undefined ? [] : differs;
    if (typeof theirs === "string") return this.#sameText(theirs, ours) ? [] : differs;
    if (Array.isArray(theirs)) {
      if (!Array.isArray(ours)) return differs;
      if (kept === "cut" ? ours.length < theirs.length : ours.length !== theirs.length) return differs;
      return theirs.flatMap((item, i) => this.compare(item, ours[i], kept, `${at}[${i}]`));
    }
    if (!isObject(theirs)) return theirs === ours ? [] : differs;
    if (!isObject(ours)) return differs;
    const extra = kept === ""
      ? Object.keys(ours).filter((key) => !Object.hasOwn(theirs, key) && key !== OURS)
      : [];
    return [
      ...Object.keys(theirs).flatMap((key) => this.compare(theirs[key], ours[key], kept, `${at}.${key}`)),
      ...extra.map((key) => `${at}.${key}: only ours`),
    ];
  }

  #sameText(theirs: string, ours: unknown): boolean {
    const mark = MARKS[theirs];
    if (mark) return mark(ours);
    if (/^<\d+>$/.test(theirs) && !this.#ids.has(theirs)) {
      if (typeof ours !== "string" || !UUID.test(ours)) return false;
      this.#ids.set(theirs, ours);
    }
    return this.ours(theirs) === ours;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
