/** The only place that words a 422: zod's issues in the reference's terms, so that its clients print what they know. */
import type { z } from "zod";
import { isNumber } from "../schemas/lossless_json.ts";
import { branchNames } from "../schemas/union.ts";

/** One thing that is wrong with a request. */
export interface Detail {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

/** The body of a 422. `request` is the parsed body, or its text when it is no JSON. */
export function validationEnvelope(details: readonly Detail[], request: unknown) {
  return {
    exception_message: "Invalid request received.",
    exception_detail: details,
    request_body: request ?? null,
  };
}

/** A value that is not allowed, at a place in the body. */
export function valueError(message: string, path: readonly (string | number)[], body: unknown): Detail {
  return {
    type: "value_error",
    loc: ["body", ...path],
    msg: `Value error, ${message}`,
    input: valueAt(body, path) ?? null,
    ctx: { error: {} },
  };
}

/** A body that is required and was not sent. */
export const MISSING_BODY: Detail = { type: "missing", loc: ["body"], msg: "Field required", input: null };

export function invalidJson(error: unknown): Detail {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    type: "json_invalid",
    loc: ["body", 0],
    msg: "JSON decode error",
    input: {},
    ctx: { error: reason },
  };
}

/** The plain refusal of a list's limit; undefined when the limit is not what is wrong. */
export function limitRefusal(issues: readonly z.core.$ZodIssue[]): string | undefined {
  for (const issue of issues) {
    if (issue.path[0] !== "limit") continue;
    // That of a list: others have other bounds, and are refused as any field.
    if (issue.code === "too_big" && issue.maximum === 200) {
      return `Invalid limit: must be less than or equal to ${issue.maximum}.`;
    }
    if (issue.code === "too_small" && issue.minimum === 0) {
      return `Invalid limit: must be greater than or equal to ${issue.minimum}.`;
    }
  }
  return undefined;
}

/** Everything that is wrong with the body `value`. */
export function toDetails(issues: readonly z.core.$ZodIssue[], value: unknown): Detail[] {
  return issues.flatMap((issue) => toDetail(issue, value));
}

/** The same for what stands behind the `?` of a URL. */
export function toQueryDetails(issues: readonly z.core.$ZodIssue[], given: unknown): Detail[] {
  return toDetails(issues, given).map((detail) => ({
    ...detail,
    loc: ["query", ...detail.loc.slice(1)],
    ...(detail.type === "missing" ? { input: null } : {}),
  }));
}

function toDetail(issue: z.core.$ZodIssue, root: unknown): Detail[] {
  const path = issue.path as (string | number)[];
  const input = valueAt(root, path);
  const one = (type: string, msg: string, ctx?: Record<string, unknown>): Detail[] => [
    { type, loc: ["body", ...path], msg, input, ...(ctx ? { ctx } : {}) },
  ];
  if (input === undefined) return missing(path, root);
  switch (issue.code) {
    case "unrecognized_keys":
      // To zod a number that is kept as it was written is an object.
      if (isNumber(input)) return wrongType("object", input, one);
      return issue.keys.map((key) => ({
        type: "extra_forbidden",
        loc: ["body", ...path, key],
        msg: "Extra inputs are not permitted",
        input: valueAt(input, [key]),
      }));
    case "invalid_type":
      return wrongType(issue.expected, input, one);
    case "too_small":
      return tooSmall(issue, one);
    case "too_big":
      return tooBig(issue, one);
    case "invalid_format":
      return wrongFormat(issue, one);
    case "invalid_value": {
      const expected = listed(issue.values);
      return one("enum", `Input should be ${expected}`, { expected });
    }
    case "invalid_union":
      return ofBranches(issue, root);
    default: {
      const type = customType(issue);
      if (type) return one(type, issue.message);
      return one("value_error", `Value error, ${issue.message}`, { error: {} });
    }
  }
}

/** What is wrong with each branch, its name standing behind the union's place. */
function ofBranches(issue: z.core.$ZodIssueInvalidUnion, root: unknown): Detail[] {
  const path = issue.path as (string | number)[];
  const names = branchNames(issue.message);
  return issue.errors.flatMap((branch, i) => {
    const details = toDetails(branch.map((inner) => ({ ...inner, path: [...path, ...inner.path] })), root);
    const name = names[i];
    if (name === undefined) return details;
    return details.map((detail) => ({ ...detail, loc: detail.loc.toSpliced(path.length + 1, 0, name) }));
  });
}

type One = (type: string, msg: string, ctx?: Record<string, unknown>) => Detail[];

const TYPE_WORDS: Record<string, [type: string, words: string]> = {
  string: ["string_type", "string"],
  boolean: ["bool_type", "boolean"],
  array: ["list_type", "list"],
  object: ["dict_type", "dictionary"],
  record: ["dict_type", "dictionary"],
};

/** Nothing for a field of what is no object: that is said once, about the object. */
function missing(path: (string | number)[], root: unknown): Detail[] {
  const parent = valueAt(root, path.slice(0, -1));
  if (isNumber(parent)) return [];
  return [{ type: "missing", loc: ["body", ...path], msg: "Field required", input: parent ?? null }];
}

function wrongType(expected: string, input: unknown, one: One): Detail[] {
  if (expected === "int" || expected === "number") return wrongNumber(expected, input, one);
  if (expected === "boolean" && typeof input === "string") {
    return one("bool_parsing", "Input should be a valid boolean, unable to interpret input");
  }
  const [type, words] = TYPE_WORDS[expected] ?? [`${expected}_type`, expected];
  return one(type, `Input should be a valid ${words}`);
}

function wrongNumber(expected: "int" | "number", input: unknown, one: One): Detail[] {
  // Lax integers and numbers alike expect "number" of what is no number at all.
  if (typeof input === "string") {
    return one("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
  }
  if (expected === "int" && typeof input === "number") {
    return one("int_from_float", "Input should be a valid integer, got a number with a fractional part");
  }
  return one("int_type", "Input should be a valid integer");
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, one: One): Detail[] {
  if (issue.origin === "string") {
    return one(
      "string_too_short",
      `String should have at least ${issue.minimum} character${plural(issue.minimum)}`,
      {
        min_length: issue.minimum,
      },
    );
  }
  if (issue.origin === "array") {
    return one("too_short", `List should have at least ${issue.minimum} item${plural(issue.minimum)}`, {
      min_length: issue.minimum,
    });
  }
  return issue.inclusive
    ? one("greater_than_equal", `Input should be greater than or equal to ${issue.minimum}`, {
      ge: issue.minimum,
    })
    : one("greater_than", `Input should be greater than ${issue.minimum}`, { gt: issue.minimum });
}

function tooBig(issue: z.core.$ZodIssueTooBig, one: One): Detail[] {
  if (issue.origin === "string") {
    return one(
      "string_too_long",
      `String should have at most ${issue.maximum} character${plural(issue.maximum)}`,
      {
        max_length: issue.maximum,
      },
    );
  }
  if (issue.origin === "array") {
    return one("too_long", `List should have at most ${issue.maximum} item${plural(issue.maximum)}`, {
      max_length: issue.maximum,
    });
  }
  return issue.inclusive
    ? one("less_than_equal", `Input should be less than or equal to ${issue.maximum}`, { le: issue.maximum })
    : one("less_than", `Input should be less than ${issue.maximum}`, { lt: issue.maximum });
}

function wrongFormat(issue: z.core.$ZodIssueInvalidStringFormat, one: One): Detail[] {
  if (issue.format === "guid") return one("uuid_parsing", "Input should be a valid UUID");
  const pattern = String(issue.pattern).replace(/^\/|\/$/g, "");
  return one("string_pattern_mismatch", `String should match pattern '${pattern}'`, { pattern });
}

/** The reference's type that a schema gave its own issue. */
function customType(issue: z.core.$ZodIssue): string | undefined {
  const { params } = issue as { params?: { type?: unknown } };
  return typeof params?.type === "string" ? params.type : undefined;
}

const plural = (count: number | bigint): string => Number(count) === 1 ? "" : "s";

function listed(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}
