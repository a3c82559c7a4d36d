import { parameterVariable, printValue } from "../schemas/command.ts";

/** What a child learns about its run through its environment. */
export interface RunIdentity {
  flowRunId: string;
  flowRunName: string;
  /** `flow/deployment`; undefined for a run without deployment. */
  deployment: string | undefined;
  parameters: Readonly<Record<string, unknown>>;
  token: string;
}

/**
 * The whole environment of a child: the agent's own, the job's above it, and above both what the run is told.
 *
 * @param api the base URL that the agent uses
 * @param workFolder the run's own folder
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  given: { job: Readonly<Record<string, string>>; run: RunIdentity; api: string; workFolder: string },
): Record<string, string> {
  const { job, run, api, workFolder } = given;
  const parameters = Object.entries(run.parameters)
    .map(([name, value]) => [parameterVariable(name), printValue(value)]);
  const all: Record<string, string | undefined> = {
    ...inherited,
    ...job,
    ...Object.fromEntries(parameters),
    SLUICE_PARAMETERS: JSON.stringify(run.parameters),
    SLUICE_FLOW_RUN_ID: run.flowRunId,
    SLUICE_FLOW_RUN_NAME: run.flowRunName,
    SLUICE_DEPLOYMENT: run.deployment,
    SLUICE_WORK_DIR: workFolder,
    PREFECT__FLOW_RUN_ID: run.flowRunId,
    PREFECT_API_URL: tokenUrl(api, run.token),
  };
  const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined;
  return Object.fromEntries(Object.entries(all).filter(isSet));
}

/** The base URL under which a client speaks for the holder of `token`, without knowing of tokens. */
export function tokenUrl(api: string, token: string): string {
  const base = api.replace(/\/+$/, "").replace(/\/api$/, "");
  return `${base}/t/${encodeURIComponent(token)}/api`;
}
