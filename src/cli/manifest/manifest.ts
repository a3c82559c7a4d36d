import type { z } from "zod";
import type { DeploymentCreate } from "../../schemas/deployment.ts";
import { checkShape } from "./check_shape.ts";
import { readDeployment } from "./read_deployment.ts";
import { fillPlaceholders, findVariables, type PlaceholderValues } from "./placeholders.ts";
import type { Problem } from "./problem.ts";
import { IGNORED_AT_TOP, ManifestShape, PoolShape } from "./shape.ts";
import { readSource, type Source } from "./source.ts";

/** A deployment that is ready to be sent, once its flow's id is known. */
export interface DeploymentPlan {
  flow: string;
  body: Omit<z.input<typeof DeploymentCreate>, "flow_id">;
  /** Where the file names its pool, for problems that only the server knows. */
  poolLine: number;
}

export interface Manifest {
  pools: PoolShape[];
  deployments: DeploymentPlan[];
}

export interface ReadManifest {
  /** Undefined when there are problems: then nothing may be applied. */
  manifest: Manifest | undefined;
  problems: Problem[];
  /** What is accepted, but not as the author may expect. */
  warnings: Problem[];
}

/** What one part of a manifest is read with. */
export interface Reading {
  source: Source;
  /** Where deployments go that name no work pool. */
  defaultPool: string | undefined;
  problems: Problem[];
  warnings: Problem[];
}

/** What a manifest does not say itself. */
export interface Surroundings extends PlaceholderValues {
  defaultPool?: string | undefined;
}

/** Reads a manifest. All problems are found in one go. */
export function readManifest(
  text: string,
  around: Surroundings = { env: {}, variables: {} },
): ReadManifest {
  const { source: written, problems } = readSource(text);
  const warnings: Problem[] = [];
  if (written === undefined) return { manifest: undefined, problems, warnings };
  const source = fillPlaceholders(written, around, problems);
  const reading = { source, defaultPool: around.defaultPool, problems, warnings };
  const manifest = readTop(reading);
  return { manifest: problems.length === 0 ? manifest : undefined, problems, warnings };
}

/** The names of the server's variables that a manifest refers to; none when it cannot be read. */
export function variablesIn(text: string): string[] {
  return findVariables(readSource(text).source?.value);
}

function readTop(reading: Reading): Manifest {
  const { source, problems } = reading;
  // A list or text here would be told as "expected object"; an unknown key is told, and the lists are still read.
  checkShape(ManifestShape, source.value, { path: [], source, problems });
  const top = source.value;
  if (typeof top !== "object" || top === null) return { pools: [], deployments: [] };
  warnIgnored(Object.keys(top).filter((key) => IGNORED_AT_TOP.some((known) => known === key)), [], reading);
  const deployments = itemsOf(top, "deployments").flatMap((item, index) =>
    readDeployment(item, ["deployments", index], reading) ?? []
  );
  const pools = itemsOf(top, "work_pools").flatMap((item, index) =>
    checkShape(PoolShape, item, { path: ["work_pools", index], source, problems }) ?? []
  );
  if (problems.length === 0 && deployments.length + pools.length === 0) {
    problems.push({ line: 1, message: "There is nothing to apply: 'deployments' is missing or empty." });
  }
  const manifest = { pools, deployments };
  refuseTwins(manifest, reading);
  return manifest;
}

function itemsOf(top: object, key: string): unknown[] {
  const items: unknown = Reflect.get(top, key);
  return Array.isArray(items) ? items : [];
}

/** Says which keys have no effect. */
export function warnIgnored(
  keys: readonly string[],
  path: readonly (string | number)[],
  reading: Reading,
): void {
  for (const key of keys) {
    const line = reading.source.lineOfKey([...path, key]);
    reading.warnings.push({ line, message: `'${key}' has no effect here; it is left out.` });
  }
}

function refuseTwins({ pools, deployments }: Manifest, { source, problems }: Reading): void {
  if (problems.length > 0) return; // positions in the lists are not those of the file then
  const refuse = (kind: string, list: string, names: readonly string[]) =>
    names.forEach((name, index) => {
      if (names.indexOf(name) === index) return;
      const message = `There are two ${kind} named '${name}' in this file.`;
      problems.push({ line: source.lineOf([list, index, "name"]), message });
    });
  refuse("deployments", "deployments", deployments.map(({ flow, body }) => `${flow}/${body.name}`));
  refuse("work pools", "work_pools", pools.map(({ name }) => name));
}
