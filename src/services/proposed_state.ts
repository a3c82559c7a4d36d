import { defaultName, type ProposedState } from "../domain/run_state.ts";
import type { Instant, StateDetails, StateType } from "../schemas/records.ts";
import type { StateCreate } from "../schemas/state.ts";
import { fromJsonText } from "../schemas/wire.ts";

/** The state that a request proposes; `fallback` (with its own name) when it proposes none. */
export function fromStateCreate(
  given: StateCreate | null | undefined,
  fallback: StateType,
  now: Instant,
): ProposedState {
  const type = given?.type ?? fallback;
  const details = presentDetails(given?.state_details ?? {});
  if (type === "SCHEDULED") details.scheduled_time ??= now;
  const hasData = given?.data !== undefined && given.data !== "null";
  return {
    type,
    name: given?.name || defaultName(type),
    message: given?.message ?? null,
    hasData,
    persisted: hasData && isPersisted(given?.data ?? "null"),
    details,
  };
}

/** Without null and default values, so that records stay small. */
function presentDetails(details: Partial<Record<keyof StateDetails, unknown>>): StateDetails {
  const entries = Object.entries(details).filter(([, value]) =>
    value !== null && value !== undefined && value !== false
  );
  return Object.fromEntries(entries);
}

/** The data of a stored result is an object of any type but "unpersisted". */
function isPersisted(data: string): boolean {
  const value = fromJsonText(data);
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    (value as { type?: unknown }).type !== "unpersisted";
}
