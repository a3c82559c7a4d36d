/** The parts that filters are made of: each a test of one value, undefined when it constrains nothing. */
import type { Instant } from "../schemas/records.ts";

type Clause = boolean | undefined;

/** Joins clauses that constrain; true when none does. */
export function combine(operator: "and_" | "or_", clauses: readonly (Clause | null)[]): boolean {
  const given = clauses.filter((clause) => typeof clause === "boolean");
  if (given.length === 0) return true;
  return operator === "or_" ? given.some(Boolean) : given.every(Boolean);
}

/** An empty list matches nothing. */
export const isAny = (list: readonly string[] | null | undefined, value: string | null): Clause =>
  list ? value !== null && list.includes(value) : undefined;

/** An empty list constrains nothing. */
export const isNotAny = (list: readonly string[] | null | undefined, value: string | null): Clause =>
  list?.length ? value === null || !list.includes(value) : undefined;

/** Whether the value is absent, as wished. */
export const isNull = (wanted: boolean | null | undefined, actual: boolean): Clause =>
  typeof wanted === "boolean" ? wanted === actual : undefined;

/** Contains the part, whatever the case. */
export const isLike = (part: string | null | undefined, value: string): Clause =>
  part ? value.toLowerCase().includes(part.toLowerCase()) : undefined;

interface Period {
  before_?: Instant | null | undefined;
  after_?: Instant | null | undefined;
  is_null_?: boolean | null | undefined;
}

/** Both ends belong to the period. */
export function inPeriod(
  { before_, after_, is_null_ }: Period,
  value: Instant | null,
  absent: boolean,
): boolean {
  return combine("and_", [
    typeof before_ === "number" ? value !== null && value <= before_ : undefined,
    typeof after_ === "number" ? value !== null && value >= after_ : undefined,
    isNull(is_null_, absent),
  ]);
}
