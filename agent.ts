/** `sluice-agent`: the agent, with a server inside for when there is none. Everything else is in `src/agent/`. */
import { agentMain } from "./src/agent/main.ts";
import { systemClock } from "./src/runtime/clock.ts";
import { buildIds } from "./src/runtime/ids.ts";
import { streamStdout, writeStderr, writeStdout } from "./src/runtime/log.ts";
import { listenForStop } from "./src/runtime/process.ts";
import { systemRandom } from "./src/runtime/random.ts";

const env = Deno.env.toObject();
const { stop, hasten } = listenForStop();
Deno.exit(
  await agentMain(Deno.args, {
    env,
    deps: { clock: systemClock, random: systemRandom, ids: buildIds(systemClock, systemRandom) },
    host: Deno.hostname(),
    writeOut: writeStdout,
    streamOut: streamStdout,
    writeErr: writeStderr,
    stop,
    hasten,
    async startEphemeral(stop) {
      const { startEphemeral } = await import("./main.ts");
      return await startEphemeral({ env, os: Deno.build.os }, stop);
    },
  }),
);
