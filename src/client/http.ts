import type { z } from "zod";

/** The server answered with a refusal. `message` is its own text. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Seconds after which the server asks to try again, when it says so. */
  readonly retryAfter: number | undefined;

  /** Whether it is the request itself that the server does not know, as an older one would not. */
  get isNoRoute(): boolean {
    return this.status === 404 && this.message === "Not Found" || this.status === 405;
  }

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** No answer: the server is down, the name does not resolve, the deadline passed, the connection broke. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** The server answered, but not as a server of ours does: something else may listen there. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

export interface HttpOptions {
  /** Base URL, ending in `/api`. */
  url: string;
  /** How the requests travel; tests give the app's own `request`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export interface RequestOptions<S extends z.ZodType> {
  body?: unknown;
  /** The shape of the answer; what it does not name is dropped, so that an older client survives a newer server. */
  answer?: S;
  headers?: Record<string, string>;
  /** Milliseconds until the request is given up. Every request has a deadline: half-open sockets hang for ever. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

const DEFAULT_DEADLINE_MS = 30_000;

/** One request, one answer. Thin: retries are the caller's (`retry.ts`). */
export class Http {
  readonly url: string;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;

  constructor(options: HttpOptions) {
    this.url = options.url.replace(/\/+$/, "");
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /**
   * The parsed answer; undefined when `answer` is not given.
   *
   * @throws ApiError on a status of 400 and above
   * @throws UnreachableError when there was no answer
   * @throws AnswerError when it has not the shape of `answer`
   */
  async request<S extends z.ZodType>(
    method: string,
    path: string,
    options: RequestOptions<S> = {},
  ): Promise<z.output<S>> {
    const deadline = AbortSignal.timeout(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
    let status: number;
    let headers: Headers;
    let text: string;
    try {
      const response = await this.#fetch(`${this.url}${path}`, {
        method,
        headers: { "content-type": "application/json", ...options.headers },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal,
      });
      ({ status, headers } = response);
      text = await response.text();
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new UnreachableError(`No answer from ${this.url}${path}: ${messageOf(cause)}`, { cause });
    }
    if (status >= 400) throw new ApiError(status, refusalOf(text, status), retryAfterOf(headers));
    if (!options.answer) return undefined as z.output<S>;
    try {
      return options.answer.parse(JSON.parse(text));
    } catch (cause) {
      throw new AnswerError(`${method} ${this.url}${path} was answered in an unknown way.`, { cause });
    }
  }
}

function retryAfterOf(headers: Headers): number | undefined {
  const value = Number(headers.get("retry-after") ?? NaN);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The words of a refusal: `detail`, the issues of a 422, or the plain text. */
function refusalOf(text: string, status: number): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return `${status} ${text.slice(0, 200)}`.trim();
  }
  if (typeof body !== "object" || body === null) return `${status} ${text.slice(0, 200)}`.trim();
  const { detail, exception_message: message, exception_detail: issues } = body as Record<string, unknown>;
  if (Array.isArray(issues)) {
    return issues.map((issue: { loc: unknown[]; msg: string }) =>
      [issue.loc.slice(1).join("."), issue.msg].filter((part) => part !== "").join(": ")
    ).join("; ");
  }
  return String(detail ?? message ?? `status ${status}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
