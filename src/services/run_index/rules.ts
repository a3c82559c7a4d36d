import type { Page } from "../../kv/pages/page.ts";
import type { Zone } from "../../schemas/run_row.ts";
import type { PageFamily } from "../../schemas/run_row.ts";
import { STATE_TYPES, TERMINAL_TYPES } from "../../schemas/records.ts";

/** What one run went through within the journal items that are looked at. */
export interface RunChange {
  /**
   * Its type (index of STATE_TYPES, -1 for none) before the first item that changed it; null when none did. Items that
   * change no type are not asked: who changes a description tells the type that he saw, which may be an older one.
   */
  from: number | null;
  /** -1 when the run was deleted. */
  to: number;
  /** Versionstamp of the last item. */
  last: string;
  /** Versionstamp of the last item that changed no type, maybe a description's; empty when there is none. */
  touched: string;
}

/**
 * What keeps the pages exact, a line each. They stand together since each is easily lost and none shows when it is:
 * a test takes one after the other away and has to notice (docs/lists.md tells why each holds).
 */
export interface IndexRules {
  /** Cut: a record that is newer than what is folded has a later item, and is left to that. */
  isFolded(version: string, cut: string): boolean;
  /** Where the old row of a changed run may stand. */
  oldFamilies(change: RunChange): readonly PageFamily[];
  /** Whether the old row of a changed run is marked dead. */
  marksDead: boolean;
  /** Whether what the tail says of a run counts, instead of a row. */
  tailOverrides: boolean;
  /** Whether a page that was read before has every row that the zone promises. */
  isCurrentPage(page: Page, zone: Pick<Zone, "n">): boolean;
  /** Whether what this process wrote is still what is stored: nobody has written since. */
  isCurrentHint(hinted: string, last: string): boolean;
}

const TERMINAL = new Set([...TERMINAL_TYPES].map((type) => STATE_TYPES.indexOf(type)));

export const INDEX_RULES: IndexRules = {
  isFolded: (version, cut) => version <= cut,
  oldFamilies({ from }) {
    if (from === null) return ["L", "E"];
    if (from < 0) return [];
    return TERMINAL.has(from) ? ["E"] : ["L"];
  },
  marksDead: true,
  tailOverrides: true,
  isCurrentPage: (page, zone) => page.n >= zone.n,
  isCurrentHint: (hinted, last) => hinted >= last,
};
