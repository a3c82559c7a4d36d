import type { Instant } from "../../schemas/records.ts";
import { toWall } from "./local_time.ts";

/**
 * The instant as the clocks of `zone` show it, as Python prints it: `2026-11-24 09:00:00-05:00`, with six digits of a
 * second where there are any, and seconds of the offset where there are any.
 */
export function zonedText(instant: Instant, zone: string): string {
  const wall = toWall(instant, zone);
  const micros = ((wall % 1e6) + 1e6) % 1e6;
  const time = new Date((wall - micros) / 1000).toISOString().slice(0, 19).replace("T", " ");
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0")}`;
  return `${time}${fraction}${offsetText((wall - instant) / 1e6)}`;
}

function offsetText(seconds: number): string {
  const ahead = Math.abs(seconds);
  const parts = [Math.floor(ahead / 3600), Math.floor(ahead / 60) % 60, ...(ahead % 60 ? [ahead % 60] : [])];
  return `${seconds < 0 ? "-" : "+"}${parts.map((part) => String(part).padStart(2, "0")).join(":")}`;
}
