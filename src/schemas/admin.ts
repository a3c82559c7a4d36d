import { z } from "zod";
import * as wire from "./wire.ts";

/** The block where results are stored that name no other; blocks are kept by whoever made the id. */
export const ServerDefaultResultStorage = z.object({
  default_result_storage_block_id: z.string().nullable(),
}).meta({ id: "ServerDefaultResultStorage" });

export const ServerDefaultResultStorageUpdate = z.strictObject({
  default_result_storage_block_id: wire.uuid(),
}).meta({ id: "ServerDefaultResultStorageUpdate" });

/** What may be known about the server by whoever may call it. No secrets, and nothing about the machine. */
export const ServerSettings = z.object({
  version: z.string(),
  api_version: z.string(),
  heartbeat_seconds: z.number(),
}).meta({ id: "Settings" });
