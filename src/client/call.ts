import type { z } from "zod";

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

/** What a method of the client asks: the endpoint's method, path and schemas. */
export interface DeclaredCall {
  method: Method;
  path: string;
  body: z.ZodType | undefined;
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

// deno-lint-ignore ban-types -- asks whether a body may be left out
type BodyArgs<B> = B extends z.ZodType ? {} extends z.input<B> ? [body?: z.input<B>] : [body: z.input<B>]
  : [];

/** What a method takes: the parts of the path, the body if there is one, and how to ask. */
export type CallArgs<P extends string, B> = [...PathParts<P>, ...BodyArgs<B>, options?: CallOptions];

export type AnswerOf<A> = A extends z.ZodType ? z.output<A> : void;

/** The path with its parts filled in, each escaped. */
export function pathWith(path: string, parts: readonly string[]): string {
  let next = 0;
  return path.replace(/:\w+/g, () => encodeURIComponent(parts[next++] ?? ""));
}
