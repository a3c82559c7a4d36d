import { closestString as untyped } from "deno-std/text/closest_string.js";

/** The word of `possibleWords` (at least one) that is nearest to `givenWord`. */
export const closestString: (givenWord: string, possibleWords: readonly string[]) => string = untyped;
