/** Emphasis on the screen; each function returns its text unchanged where colours are not wanted. */
export interface Style {
  bold: (text: string) => string;
  dim: (text: string) => string;
  italic: (text: string) => string;
  red: (text: string) => string;
  green: (text: string) => string;
  yellow: (text: string) => string;
  blue: (text: string) => string;
  cyan: (text: string) => string;
}

export type StyleName = keyof Style;

/** Opening and closing codes of ECMA-48. */
const CODES: Readonly<Record<StyleName, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

/** Colours are for terminals, and for users who did not set `NO_COLOR` (https://no-color.org) to anything. */
export function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
}

export function buildStyle(isColoured: boolean): Style {
  const paint = (name: StyleName) => (text: string) =>
    isColoured && text !== "" ? `\x1b[${CODES[name][0]}m${text}\x1b[${CODES[name][1]}m` : text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    italic: paint("italic"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    blue: paint("blue"),
    cyan: paint("cyan"),
  };
}
