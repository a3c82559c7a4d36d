import type { z } from "zod";

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** What a method of the client asks: the endpoint's method, path and schemas. */
export interface DeclaredCall {
  method: Method;
  path: string;
  body: z.ZodType | undefined;
  query: z.ZodType | undefined;
  answer: z.ZodType | undefined;
}

/** How to ask. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds until the request is given up. */
  deadlineMs?: number;
  headers?: Record<string, string>;
}

/** One text for each part of the path that begins with a colon. */
type PathParts<P extends string> = P extends `${string}:${string}/${infer Rest}`
  ? [part: string, ...PathParts<`/${Rest}`>]
  : P extends `${string}:${string}` ? [part: string]
  : [];

// deno-lint-ignore ban-types -- asks whether it may be left out
type InputArgs<S> = S extends z.ZodType ? {} extends z.input<S> ? [input?: z.input<S>] : [input: z.input<S>]
  : [];

/** What a method takes: the parts of the path, the body or what stands behind the `?`, and how to ask. */
export type CallArgs<P extends string, B, Q> = [
  ...PathParts<P>,
  ...InputArgs<B extends z.ZodType ? B : Q>,
  options?: CallOptions,
];

export type AnswerOf<A> = A extends z.ZodType ? z.output<A> : void;

/** The path with its parts filled in, each escaped. */
export function pathWith(path: string, parts: readonly string[]): string {
  let next = 0;
  return path.replace(/:\w+/g, () => encodeURIComponent(parts[next++] ?? ""));
}

/** The part behind `?`, without what is undefined. */
export function search(query: object): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(String(value))}`]
  );
  return given.length === 0 ? "" : `?${given.join("&")}`;
}
