import type { z } from "zod";
import { nearest } from "../nearest.ts";
import type { Problem } from "./problem.ts";
import {
  DeploymentShape,
  IGNORED_AT_TOP,
  IGNORED_IN_DEPLOYMENT,
  LimitShape,
  ManifestShape,
  PoolReference,
  PoolShape,
  QueueShape,
  ScheduleShape,
} from "./shape.ts";
import type { Path, Source } from "./source.ts";

/** Keys by the path to their object, list positions left out. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "": without(ManifestShape.shape, IGNORED_AT_TOP),
  deployments: without(DeploymentShape.shape, IGNORED_IN_DEPLOYMENT),
  "deployments.work_pool": without(PoolReference.shape),
  "deployments.schedule": without(ScheduleShape.shape),
  "deployments.schedules": without(ScheduleShape.shape),
  "deployments.concurrency_limit": without(LimitShape.shape),
  work_pools: without(PoolShape.shape),
  "work_pools.queues": without(QueueShape.shape),
};

function without(shape: object, ignored: readonly string[] = []): string[] {
  return Object.keys(shape).filter((key) => !ignored.includes(key));
}

/** The value in the wished shape; undefined when it has problems, which are then added to `problems`. */
export function checkShape<S extends z.ZodType>(
  schema: S,
  value: unknown,
  at: { path: Path; source: Source; problems: Problem[] },
): z.output<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  at.problems.push(...result.error.issues.flatMap((issue) => describeIssue(issue, value, at)));
  return undefined;
}

function describeIssue(
  issue: z.core.$ZodIssue,
  value: unknown,
  { path: base, source }: { path: Path; source: Source },
): Problem[] {
  const inner = issue.path.map((part) => typeof part === "symbol" ? String(part) : part);
  const path = [...base, ...inner];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      line: source.lineOfKey([...path, key]),
      message: `Unknown key '${key}'. ${nearKeys(key, path)}`,
    }));
  }
  return [{ line: source.lineOf(path), message: wordIssue(issue, valueAt(value, inner), nameOf(path)) }];
}

function nearKeys(key: string, path: Path): string {
  const keys = KEYS[path.filter((part) => typeof part === "string").join(".")] ?? [];
  return `Did you mean ${nearest(key, keys, 2).map((near) => `'${near}'`).join(" or ")}?`;
}

const nameOf = (path: Path): string => {
  const key = path.findLast((part) => typeof part === "string");
  return key === undefined ? "The file" : typeof path.at(-1) === "number" ? `Each of '${key}'` : `'${key}'`;
};

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object with keys",
  record: "an object with keys",
};

function wordIssue(issue: z.core.$ZodIssue, value: unknown, name: string): string {
  if (value === undefined) return `${name} is missing.`;
  const got = `not ${show(value)}`;
  switch (issue.code) {
    case "invalid_type": {
      const quotes = issue.expected === "string" && typeof value !== "object" && value !== null;
      return `${name} must be ${KINDS[issue.expected] ?? issue.expected}, ${got}.${
        quotes ? " Put it in quotes." : ""
      }`;
    }
    case "too_small":
      return `${name} must be ${issue.minimum}${
        issue.inclusive ? " or more" : " at least, and above it"
      }, ${got}.`;
    case "invalid_format":
      return `${name} must not be empty nor contain any of / % & > <: ${show(value)} is no name.`;
    case "invalid_union":
      return `${name} must be text, a number, true or false, ${got}.`;
    default:
      return `${name}: ${issue.message}, ${got}.`;
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, part) => typeof inside === "object" && inside !== null ? Reflect.get(inside, part) : undefined,
    value,
  );
}
