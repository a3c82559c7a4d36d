/** Which variables a filter means. */
import type { JsonText, VariableRecord } from "../schemas/records.ts";
import type { VariableFilter } from "../schemas/variable.ts";
import { combine, isAny, isLike, isNull } from "./clauses.ts";

/** Absent and null clauses constrain nothing. */
export function matchesVariable(
  filter: VariableFilter | null | undefined,
  { id, name, value, tags }: VariableRecord,
): boolean {
  if (!filter) return true;
  const text = textOf(value);
  return combine(filter.operator, [
    filter.id && combine("and_", [isAny(filter.id.any_, id)]),
    filter.name && combine("and_", [isAny(filter.name.any_, name), isLike(filter.name.like_, name)]),
    filter.value && combine("and_", [isAny(filter.value.any_, text), isLike(filter.value.like_, text)]),
    filter.tags && combine(filter.tags.operator, [
      filter.tags.all_ ? filter.tags.all_.every((tag) => tags.includes(tag)) : undefined,
      isNull(filter.tags.is_null_, tags.length === 0),
    ]),
  ]);
}

/** A string itself; of anything else its JSON. */
function textOf(value: JsonText): string {
  const parsed: unknown = JSON.parse(value);
  return typeof parsed === "string" ? parsed : value;
}
