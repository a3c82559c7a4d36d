/**
 * What can go wrong as an expected refusal. Closed: `routes/errors.ts` maps every code to a status, and the
 * compiler proves that none is forgotten.
 */
export type ErrorCode =
  | "not_found" // the object named by the request is not there
  | "missing_object" // an object met inside a state change is not there (the reference words this one differently)
  | "conflict" // a name is taken, or the object is in use
  | "forbidden" // a reserved name
  | "invalid" // well-formed, but not allowed
  | "bad_request" // the request does not fit this server (API version)
  | "stale_token" // a claim token that is not current: the holder must kill its process and forget the run
  | "too_large" // above a documented size
  | "busy" // too much of the same is under way: try again later
  | "contention" // lost too many races: try again
  | "unknown_outcome"; // a commit whose answer was lost: look, then try again

/** A refusal that is part of the contract. `message` says what was wished, what is there, and what to do. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: ErrorCode;
  /** Where in the request body the value stands, for refusals that name a field. */
  readonly field: readonly (string | number)[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; field?: readonly (string | number)[] } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }
}
