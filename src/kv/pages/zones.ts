/** Zones: made of rows, changed by appending rows and by marking rows dead. A zone is never changed in place. */
import { STATE_TYPES } from "../../schemas/records.ts";
import { ASK_RECORD, type PageFamily, type PageRow, type Span, type Zone } from "../../schemas/run_row.ts";
import { createdMs } from "./page_row.ts";

/** Texts of a column that a zone names; with more it says nothing about them. */
const NAMED = 16;

const EMPTY: Span = { min: Infinity, max: -Infinity, hasNull: false };

export const emptyZone = (family: PageFamily): Zone => ({
  family,
  n: 0,
  alive: 0,
  dead: new Uint8Array(0),
  counts: STATE_TYPES.map(() => 0),
  created: EMPTY,
  expected: EMPTY,
  next: EMPTY,
  start: EMPTY,
  started: EMPTY,
  end: EMPTY,
  stateNames: [],
  deployments: [],
});

/** The zone once `row` stands at the page's end. */
export function withRow(zone: Zone, row: PageRow): Zone {
  const dead = new Uint8Array((zone.n >> 3) + 1);
  dead.set(zone.dead.subarray(0, dead.length));
  return {
    family: zone.family,
    n: zone.n + 1,
    alive: zone.alive + 1,
    dead,
    counts: added(zone.counts, STATE_TYPES.indexOf(row.type), 1),
    created: widened(zone.created, createdMs(row.id)),
    expected: widened(zone.expected, row.expected),
    next: widened(zone.next, row.next),
    start: widened(zone.start, row.start),
    started: widened(zone.started, row.start ?? row.expected),
    end: widened(zone.end, row.end),
    stateNames: row.stateName === ASK_RECORD ? null : named(zone.stateNames, row.stateName ?? ""),
    deployments: row.deployment === ASK_RECORD ? null : named(zone.deployments, row.deployment),
  };
}

/** The zone once the run of a row, which is alive, has changed or gone. */
export function withDead(zone: Zone, row: number, type: number): Zone {
  const dead = zone.dead.slice();
  dead[row >> 3]! |= 1 << (row & 7);
  return { ...zone, alive: zone.alive - 1, dead, counts: added(zone.counts, type, -1) };
}

export const isDead = ({ dead }: Zone, row: number): boolean => (dead[row >> 3]! & 1 << (row & 7)) !== 0;

/** The rows that are alive. */
export function aliveRows(zone: Zone): number[] {
  const rows: number[] = [];
  for (let row = 0; row < zone.n; row++) if (!isDead(zone, row)) rows.push(row);
  return rows;
}

function added(counts: readonly number[], index: number, by: number): number[] {
  return counts.map((count, i) => i === index ? count + by : count);
}

function widened(span: Span, value: number | null): Span {
  if (value === null) return span.hasNull ? span : { ...span, hasNull: true };
  if (value >= span.min && value <= span.max) return span;
  return { ...span, min: Math.min(span.min, value), max: Math.max(span.max, value) };
}

function named<T>(known: T[] | null, value: T): T[] | null {
  if (!known || known.includes(value)) return known;
  return known.length < NAMED ? [...known, value] : null;
}
