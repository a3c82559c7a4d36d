import { z } from "zod";
import type { JsonText } from "./records.ts";
import * as wire from "./wire.ts";

/** Longest value, as JSON text (the reference's limit). */
const LONGEST_VALUE = 5_000;

export const Variable = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  value: z.unknown(),
  tags: z.array(z.string()),
}).meta({ id: "Variable" });
export type Variable = z.output<typeof Variable>;

/** The charset makes a character a byte, so a name always fits into a key. */
const name = () =>
  z.string().max(255).refine((text) => /^[a-z0-9_-]+$/.test(text), {
    message: "Variable name must only contain lowercase letters, numbers, and dashes or underscores.",
  });

/** Any JSON, null as well; absent is not the same. */
const value = () =>
  z.unknown().refine((given) => given !== undefined).transform((given): JsonText => JSON.stringify(given))
    .refine((text) => text.length <= LONGEST_VALUE, {
      message: `Variable value should have at most ${LONGEST_VALUE} characters as JSON`,
    });

export const VariableCreate = z.strictObject({
  name: name(),
  value: value(),
  tags: wire.orDefault(wire.tags(), []),
}).meta({ id: "VariableCreate" });
export type VariableCreate = z.output<typeof VariableCreate>;

/** Only the keys that are present are written; a value may be null, a name and tags may not. */
export const VariableUpdate = z.strictObject({
  name: name().nullish(),
  value: value().optional(),
  tags: wire.tags().nullish(),
}).meta({ id: "VariableUpdate" });
export type VariableUpdate = z.output<typeof VariableUpdate>;

const operator = { operator: wire.orDefault(z.enum(["and_", "or_"]), "and_") };
const words = () => z.array(z.string()).nullish();
const anyOrLike = z.strictObject({ any_: words(), like_: z.string().nullish() });

/** `value` is 2.20's, where all values are text. */
export const VariableFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: z.array(wire.uuid()).nullish() }).nullish(),
  name: anyOrLike.nullish(),
  value: anyOrLike.nullish(),
  tags: z.strictObject({ ...operator, all_: words(), is_null_: wire.bool().nullish() }).nullish(),
});
export type VariableFilter = z.output<typeof VariableFilter>;

export const VariableCountBody = z.object({ variables: VariableFilter.nullish() });

export const VariableListBody = z.object({
  variables: VariableFilter.nullish(),
  sort: wire.orDefault(z.enum(["CREATED_DESC", "UPDATED_DESC", "NAME_DESC", "NAME_ASC"]), "NAME_ASC"),
  limit: wire.limit(),
  offset: wire.offset(),
});
export type VariableListBody = z.output<typeof VariableListBody>;
