import { pickOne, type Random } from "../runtime/random.ts";
import { VERSION } from "../runtime/version.ts";

/** A gate in the stream, and what it says on it. */
export const WELCOME = `
      ___
    _|===|_    S L U I C E
  ~~~|===|~~~~~~~~~~~~~~~~~~~~
   ~~|===|~~~  agent ${VERSION}
`;

const FIRST = [
  "amber",
  "brisk",
  "calm",
  "clear",
  "deft",
  "eager",
  "fair",
  "gentle",
  "hardy",
  "keen",
  "lucid",
  "mellow",
  "nimble",
  "patient",
  "quick",
  "sturdy",
];
const SECOND = [
  "barge",
  "beaver",
  "brook",
  "current",
  "dipper",
  "ferry",
  "heron",
  "lock",
  "mill",
  "otter",
  "pike",
  "reed",
  "river",
  "salmon",
  "tide",
  "weir",
];

/** A name that people can tell apart and say: `host-quick-otter`. */
export function agentName(host: string, random: Random): string {
  return `${host.slice(0, 200)}-${pickOne(FIRST, random)}-${pickOne(SECOND, random)}`;
}
