import { assertEquals } from "@std/assert";
import { zonedText } from "../../../src/domain/schedule/zoned_text.ts";
import { parseInstant } from "../../../src/schemas/wire.ts";

Deno.test("zonedText() prints an instant as Python does", () => {
  const cases: [time: string, zone: string, text: string][] = [
    ["2026-11-24T00:08:31.332055Z", "UTC", "2026-11-24 00:08:31.332055+00:00"],
    ["2026-11-24T14:00:00Z", "America/New_York", "2026-11-24 09:00:00-05:00"],
    ["2026-11-29T23:00:00Z", "Europe/Berlin", "2026-11-30 00:00:00+01:00"],
    ["2026-06-30T23:00:00.5Z", "Asia/Kolkata", "2026-07-01 04:30:00.500000+05:30"],
    ["1969-12-31T23:59:59.9Z", "UTC", "1969-12-31 23:59:59.900000+00:00"],
    ["1890-01-01T00:00:00Z", "Europe/Berlin", "1890-01-01 00:53:28+00:53:28"],
  ];
  assertEquals(
    cases.map(([time, zone]) => zonedText(parseInstant(time)!, zone)),
    cases.map(([, , text]) => text),
  );
});
