/** What clients send and get about automations and global concurrency limits, which this server does not keep. */
import { z } from "zod";
import * as wire from "./wire.ts";

/** No automation is ever answered, so its fields do not matter. */
export const Automation = z.record(z.string(), z.unknown()).meta({ id: "Automation" });

export const AutomationListBody = z.object({
  automations: wire.object().nullish(),
  sort: wire.orDefault(z.enum(["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]), "NAME_ASC"),
  limit: wire.limit(),
  offset: wire.offset(),
});

const ConcurrencyLeaseHolder = z.strictObject({
  type: z.enum(["flow_run", "task_run", "deployment"]),
  id: wire.uuid(),
}).meta({ id: "ConcurrencyLeaseHolder" });

/** `lease_duration` is in seconds; its bounds are the reference's. */
export const IncrementWithLeaseBody = z.object({
  slots: wire.positiveInt(),
  names: z.array(z.string()),
  mode: wire.orDefault(z.enum(["concurrency", "rate_limit"]), "concurrency"),
  lease_duration: wire.orDefault(wire.num(60, 86_400), 300),
  holder: ConcurrencyLeaseHolder.nullish(),
});

export const ConcurrencyLimitWithLeaseResponse = z.object({
  lease_id: z.string(),
  limits: z.array(
    z.object({ id: z.string(), name: z.string(), limit: z.int() })
      .meta({ id: "MinimalConcurrencyLimitResponse" }),
  ),
}).meta({ id: "ConcurrencyLimitWithLeaseResponse" });
