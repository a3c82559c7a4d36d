/** Writes docs/openapi.json, the API's description for readers without a server: `deno task openapi`. */
import { allEndpoints } from "../src/routes/app.ts";
import { buildOpenApi } from "../src/routes/openapi.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { buildIds } from "../src/runtime/ids.ts";
import { silentLog } from "../src/runtime/log.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { buildServices } from "../src/services/services.ts";

export const OPENAPI_FILE = new URL("../docs/openapi.json", import.meta.url);

/** The text that belongs into {@link OPENAPI_FILE}. */
export async function currentOpenApi(): Promise<string> {
  using kv = await Deno.openKv(":memory:");
  const shutdown = new AbortController();
  const deps = {
    kv,
    sharedKv: false,
    clock: systemClock,
    random: systemRandom,
    ids: buildIds(systemClock, systemRandom),
    log: silentLog,
    shutdown: shutdown.signal,
  };
  const endpoints = allEndpoints(deps, buildServices(deps), { heartbeatSeconds: 5 });
  shutdown.abort();
  return `${JSON.stringify(buildOpenApi(endpoints), undefined, 2)}\n`;
}

if (import.meta.main) await Deno.writeTextFile(OPENAPI_FILE, await currentOpenApi());
