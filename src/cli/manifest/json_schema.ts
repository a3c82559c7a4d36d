import { z } from "zod";
import { ManifestFile } from "./shape.ts";

/** The JSON Schema (2020-12) of the files that `deployment apply` reads, for editors. */
export function manifestSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(ManifestFile, { io: "input" });
  return {
    $schema,
    title: "Deployments for Sluice",
    description:
      "What `sluice deployment apply` reads: the deployments of a prefect.yaml, and work pools for them.",
    ...schema,
  };
}
