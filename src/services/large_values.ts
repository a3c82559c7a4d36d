import { DomainError } from "../errors.ts";
import { dropAhead } from "../kv/large_text.ts";
import type { LargeText } from "../schemas/records.ts";

/** Most bytes of parameters, job variables, a context, or the data of a state. The reference allows parameters this. */
const LARGEST_BYTES = 524_288;

/**
 * @param what names the value in the refusal
 * @param options.field where it stands in the request's body
 * @throws DomainError `too_large`
 */
export function refuseTooLarge(
  text: string,
  what: string,
  { field = [what], most = LARGEST_BYTES }: { field?: readonly string[]; most?: number } = {},
): void {
  if (text.length * 3 <= most) return;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= most) return;
  throw new DomainError(
    "too_large",
    `The ${what} have ${bytes} bytes; at most ${most} are allowed. Store the content elsewhere and pass a reference.`,
    { field },
  );
}

/**
 * Does `work`, for which `texts` were stored ahead, and deletes those to which no record points afterwards. When the
 * outcome is unknown they stay, until {@link Leftovers} finds them.
 */
export async function settlingAhead<T>(
  kv: Deno.Kv,
  texts: readonly (LargeText | null | undefined)[],
  work: () => Promise<T>,
): Promise<T> {
  const drop = async () => {
    for (const text of texts) await dropAhead(kv, text);
  };
  try {
    const result = await work();
    await drop();
    return result;
  } catch (error) {
    if (error instanceof DomainError && error.code !== "unknown_outcome") await drop();
    throw error;
  }
}
