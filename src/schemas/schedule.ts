import { z } from "zod";
import { isCron } from "./cron.ts";
import { LONGEST_RRULE, rruleFault } from "./rrule.ts";
import { branches } from "./union.ts";
import * as wire from "./wire.ts";

/** Largest `max_scheduled_runs` (a setting of the reference with this default). */
const MOST_SCHEDULED_RUNS = 50;
/** Longest interval in seconds: 999,999,999 days, the reference's longest duration. */
const LONGEST_INTERVAL = 86_399_999_913_600;

/** Whether text names a time zone of the IANA database. */
function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

const zoneMessage = (timezone: string) =>
  `Invalid timezone: "${
    timezone.slice(0, 100)
  }" (specify in IANA tzdata format, for example, America/New_York)`;

// Each refusal below ends the check of its branch (`abort`), so that the union tells what is wrong with all of them.
type Zoned = { timezone?: string | null | undefined };
const hasTimezone = ({ timezone }: Zoned): boolean =>
  timezone === null || timezone === undefined || isTimezone(timezone);
const wrongTimezone = {
  error: ({ input }: { input: unknown }) => zoneMessage((input as Zoned).timezone ?? ""),
  abort: true,
};

export const IntervalSchedule = z.strictObject({
  interval: wire.num()
    .refine((seconds) => seconds > 0, { message: "interval must be positive", abort: true })
    .refine((seconds) => seconds <= LONGEST_INTERVAL, {
      message: `interval must be at most ${LONGEST_INTERVAL} seconds`,
      abort: true,
    }),
  anchor_date: wire.instant().nullish(),
  timezone: z.string().nullish(),
}).refine(hasTimezone, wrongTimezone).meta({ id: "IntervalSchedule" });

export const CronSchedule = z.strictObject({
  cron: z.string().refine(isCron, {
    error: ({ input }) => `Invalid cron string: "${input}"`,
    abort: true,
  }),
  timezone: z.string().nullish(),
  day_or: wire.orDefault(wire.bool(), true),
}).refine(hasTimezone, wrongTimezone).meta({ id: "CronSchedule" });

export const RRuleSchedule = z.strictObject({
  rrule: z.string()
    .refine((text) => text.length <= LONGEST_RRULE, {
      message: `Invalid RRule string: it has more than ${LONGEST_RRULE} characters`,
      abort: true,
    })
    .refine((text) => rruleFault(text) === undefined, {
      error: ({ input }) => `Invalid RRule string "${input}": ${rruleFault(String(input))}`,
      abort: true,
    }),
  timezone: z.string().refine(isTimezone, {
    error: ({ input }) => zoneMessage(String(input)),
    abort: true,
  }).nullish(),
}).meta({ id: "RRuleSchedule" });

/** When runs are made. The keys decide which kind it is; a refusal tells what each kind lacks. */
export const Schedule = z.union([IntervalSchedule, CronSchedule, RRuleSchedule], {
  error: branches(
    "function-after[validate_timezone(), IntervalSchedule]",
    "function-after[validate_timezone(), CronSchedule]",
    "RRuleSchedule",
  ),
});
export type Schedule = z.output<typeof Schedule>;

const described = {
  max_scheduled_runs: wire.positiveInt().refine((count) => count <= MOST_SCHEDULED_RUNS, {
    message: `max_scheduled_runs must be less than or equal to ${MOST_SCHEDULED_RUNS}.`,
  }).nullish(),
  parameters: wire.jsonObject().nullish(),
  slug: z.string().nullish(),
  /** The slug of the schedule that this one takes the place of. */
  replaces: z.string().nullish(),
  // What 2.20 clients send.
  max_active_runs: wire.positiveInt().nullish(),
  catchup: wire.bool().nullish(),
};

export const DeploymentScheduleCreate = z.strictObject({
  schedule: Schedule,
  active: wire.orDefault(wire.bool(), true),
  ...described,
}).meta({ id: "DeploymentScheduleCreate" });
export type DeploymentScheduleCreate = z.output<typeof DeploymentScheduleCreate>;

/** Null changes nothing, like a key that is absent. */
export const DeploymentScheduleUpdate = z.strictObject({
  schedule: Schedule.nullish(),
  active: wire.bool().nullish(),
  ...described,
}).meta({ id: "DeploymentScheduleUpdate" });
export type DeploymentScheduleUpdate = z.output<typeof DeploymentScheduleUpdate>;

export const DeploymentSchedule = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  deployment_id: z.string(),
  schedule: z.record(z.string(), z.unknown()),
  active: z.boolean(),
  max_scheduled_runs: z.number().nullable(),
  parameters: z.record(z.string(), z.unknown()),
  slug: z.string().nullable(),
  catchup: z.boolean(),
  max_active_runs: z.number().nullable(),
}).meta({ id: "DeploymentSchedule" });
export type DeploymentSchedule = z.output<typeof DeploymentSchedule>;

/** The bounds of the runs to be made; all may be left out. */
export const ScheduleDeploymentBody = z.object({
  start_time: wire.instant().nullish(),
  end_time: wire.instant().nullish(),
  /** Seconds. */
  min_time: wire.num(0).nullish(),
  min_runs: wire.int(0).nullish(),
  max_runs: wire.int(0).nullish(),
});
