import { Api } from "../../client/api.ts";
import type { Completion } from "../command.ts";
import { parseArguments } from "../commander.ts";
import type { CommandContext } from "../context.ts";
import { DEFAULT_API_URL } from "../defaults.ts";
import { withSettings } from "../settings.ts";
import { listDeployments } from "../targets.ts";

/** Whoever presses Tab waits no longer. */
const DEADLINE_MS = 1_500;
/** The first page is enough to go on typing. */
const PAGE = { limit: 200 };

/** Names of objects as the server or the profiles have them; none when they cannot be had quickly. */
export async function namesFor(
  kind: Exclude<Completion, "file">,
  before: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  try {
    return await READ[kind](await quickApi(before, context), before, context);
  } catch {
    return [];
  }
}

type Read = (api: Api, before: readonly string[], context: CommandContext) => Promise<readonly string[]>;
const namesOf = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);

const READ: Readonly<Record<Exclude<Completion, "file">, Read>> = {
  "work-pool": async (api) => namesOf(await api.workPools.list(PAGE)),
  "work-queue": async (api, before) => {
    const pools = valueOf(before, ["--pool", "-p"]) ?? namesOf(await api.workPools.list(PAGE));
    const queues = await Promise.all([pools].flat().map((pool) => api.workQueues.list(pool, PAGE)));
    return [...new Set(namesOf(queues.flat()))];
  },
  deployment: async (api) => (await listDeployments(api)).map(({ title }) => title),
  flow: async (api) => namesOf(await api.flows.list(PAGE)),
  "flow-run": async (api) => namesOf(await api.flowRuns.list({ ...PAGE, sort: "EXPECTED_START_TIME_DESC" })),
  agent: async (api) => namesOf(await api.agents.list(PAGE)),
  variable: async (api) => namesOf(await api.variables.list(PAGE)),
  profile: async (_api, _before, { world }) => {
    const { profilesFile, readProfiles } = await import("../../runtime/profiles.ts");
    return Object.keys((await readProfiles(profilesFile(world))).profiles);
  },
};

const valueOf = (words: readonly string[], names: readonly string[]): string | undefined => {
  const at = words.findIndex((word) => names.includes(word));
  return at < 0 ? undefined : words[at + 1];
};

/** A client for the server that the command line itself would talk to. */
async function quickApi(before: readonly string[], { world }: CommandContext): Promise<Api> {
  const named = ["--api", "--profile"].flatMap((option) => {
    const value = valueOf(before, [option]);
    return value === undefined ? [] : [option, value];
  });
  const parse = { program: world.program, writeOut: () => {}, columns: 80 };
  const parsed = parseArguments(["server", "status", ...named], parse);
  const input = parsed && await withSettings(parsed, world);
  const send = world.fetch ?? fetch;
  return new Api({
    url: input?.text("api") ?? DEFAULT_API_URL,
    fetch: (url, init) => {
      const quick = AbortSignal.timeout(DEADLINE_MS);
      return send(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, quick]) : quick });
    },
  });
}
