/** Types of the part of `@std/cli/parse-args` that the entry files use. */
export interface ParseOptions<B extends string, S extends string, C extends string> {
  boolean?: readonly B[];
  string?: readonly S[];
  collect?: readonly C[];
  alias?: Record<string, string | readonly string[]>;
  negatable?: readonly string[];
  default?: Record<string, unknown>;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
export type Args<B extends string, S extends string, C extends string> =
  & { _: (string | number)[] }
  & { [K in B]?: boolean }
  & { [K in Exclude<S, C>]?: string }
  & { [K in Extract<S, C>]: string[] };
export function parseArgs<B extends string = never, S extends string = never, C extends string = never>(
  args: readonly string[],
  options?: ParseOptions<B, S, C>,
): Args<B, S, C>;
