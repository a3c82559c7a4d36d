import { defaultName, type ProposedState } from "../domain/run_state.ts";
import { DomainError } from "../errors.ts";
import type { Instant, StateDetails, StateType } from "../schemas/records.ts";
import type { StateCreate } from "../schemas/state.ts";
import { fromJsonText } from "../schemas/wire.ts";

/** Characters of a state's message that are kept. */
const LONGEST_MESSAGE = 10_000;
/** Characters of a state's details, as JSON. */
const LONGEST_DETAILS = 10_000;

/**
 * The state that a request proposes; `fallback` (with its own name) when it proposes none.
 *
 * @throws DomainError `too_large`: details that no record can hold
 */
export function fromStateCreate(
  given: StateCreate | null | undefined,
  fallback: StateType,
  now: Instant,
): ProposedState {
  const type = given?.type ?? fallback;
  const details = presentDetails(given?.state_details ?? {});
  refuseTooLong(details);
  if (type === "SCHEDULED") details.scheduled_time ??= now;
  const hasData = given?.data !== undefined && given.data !== "null";
  return {
    type,
    name: given?.name || defaultName(type),
    message: shortened(given?.message ?? null),
    hasData,
    persisted: hasData && isPersisted(given?.data ?? "null"),
    details,
  };
}

/** A state stands in a record that others are written with, so its message has an end. The logs have the whole. */
function shortened(message: string | null): string | null {
  if (message === null || message.length <= LONGEST_MESSAGE) return message;
  return `${message.slice(0, LONGEST_MESSAGE)}… (${message.length - LONGEST_MESSAGE} more characters)`;
}

function refuseTooLong(details: StateDetails): void {
  const { length } = JSON.stringify(details);
  if (length <= LONGEST_DETAILS) return;
  throw new DomainError(
    "too_large",
    `The details of the state have ${length} characters as JSON; at most ${LONGEST_DETAILS} are allowed.`,
    { field: ["state", "state_details"] },
  );
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
