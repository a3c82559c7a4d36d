import { assertEquals } from "@std/assert";
import { firstDates } from "../../../src/domain/schedule/schedule.ts";
import { isCron } from "../../../src/schemas/cron.ts";
import { rruleFault, withStart } from "../../../src/schemas/rrule.ts";
import { parseInstant } from "../../../src/schemas/wire.ts";

const NOW = parseInstant("2026-11-24T12:00:00Z")!;

Deno.test("a cron expression that is accepted makes dates", () => {
  const expressions = ["5/10 * * * *", "0 0 L * *", "0 9 * * 5#2", "0 9 * * * 30", " @daily ", "0 9 * * 7"];
  for (const cron of expressions) {
    assertEquals(isCron(cron), true, cron);
    const dates = firstDates({ kind: "cron", cron, dayOr: true, zone: "Europe/Berlin" }, NOW, 2);
    assertEquals(dates.length, 2, cron);
  }
  assertEquals(firstDates({ kind: "cron", cron: "0 0 31 2 *", dayOr: true, zone: "UTC" }, NOW, 1), []);
});

Deno.test("a recurrence rule that is accepted makes dates", () => {
  const rules = [
    "FREQ=DAILY",
    "freq=weekly;BYDAY=MO,FR;",
    "RRULE:FREQ=MINUTELY;INTERVAL=7",
    "DTSTART;TZID=Europe/Berlin:20200101T000000\nRRULE:FREQ=DAILY\nEXDATE:20261125T000000",
    "DTSTART:20200101T000000\nRRULE:FREQ=DAILY\nRDATE:20270103T000000",
    "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=3,4;UNTIL=20300101T000000Z",
  ];
  for (const rule of rules) {
    assertEquals(rruleFault(rule), undefined, rule);
    const dates = firstDates({ kind: "rrule", rrule: withStart(rule, NOW), zone: "Europe/Berlin" }, NOW, 2);
    assertEquals(dates.length, 2, rule);
  }
});
