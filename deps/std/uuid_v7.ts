import { extractTimestamp as untyped, validate as untypedValidate } from "deno-std/uuid/v7.js";

/** Whether `id` is a version 7 UUID. */
export const validate: (id: string) => boolean = untypedValidate;
/** The time in ms since the epoch that a version 7 UUID carries. Throws a TypeError for any other string. */
export const extractTimestamp: (uuid: string) => number = untyped;
