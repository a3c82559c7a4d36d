import * as wire from "../schemas/wire.ts";
import { UsageError } from "./errors.ts";

/** A name that may be given to a work pool or queue. @throws UsageError */
export function checkName(name: string): string {
  if (wire.keyName().safeParse(name).success) return name;
  throw new UsageError(`A name has 1 to 255 bytes and none of / % & > <, unlike '${name}'.`);
}
