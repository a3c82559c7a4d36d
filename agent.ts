/** `sluice-agent`: the agent alone. Everything but the outside world is in `src/agent/`. */
import { agentMain } from "./src/agent/main.ts";
import { systemClock } from "./src/runtime/clock.ts";
import { buildIds } from "./src/runtime/ids.ts";
import { writeStderr, writeStdout } from "./src/runtime/log.ts";
import { listenForStop } from "./src/runtime/process.ts";
import { systemRandom } from "./src/runtime/random.ts";

const { stop, hasten } = listenForStop();
Deno.exit(
  await agentMain(Deno.args, {
    env: Deno.env.toObject(),
    deps: { clock: systemClock, random: systemRandom, ids: buildIds(systemClock, systemRandom) },
    host: Deno.hostname(),
    writeOut: writeStdout,
    writeErr: writeStderr,
    stop,
    hasten,
  }),
);
