/**
 * What clients show and use when a work pool is created by type. Pools of the types with an empty template get theirs
 * from the first worker that starts there: it knows its own variables better than any server.
 */

/** Names are the wire's. */
export interface WorkerType {
  type: string;
  display_name: string;
  description: string;
  documentation_url: string;
  install_command: string;
  logo_url: string;
  is_beta: boolean;
  default_base_job_configuration: Record<string, unknown>;
}

const PROCESS_VARIABLES = {
  name: { title: "Name", description: "Name of the process that is started.", type: "string" },
  env: {
    title: "Environment variables",
    description: "Environment variables of the process, added to those of the worker.",
    type: "object",
    additionalProperties: { anyOf: [{ type: "string" }, { type: "null" }] },
  },
  labels: {
    title: "Labels",
    description: "Labels of the process.",
    type: "object",
    additionalProperties: { type: "string" },
  },
  command: {
    title: "Command",
    description: "What is run. Left empty, the worker makes it from the deployment's entrypoint.",
    type: "string",
  },
  stream_output: {
    title: "Stream output",
    description: "Whether the worker passes the output of the process on to its own.",
    type: "boolean",
    default: true,
  },
  working_dir: {
    title: "Working directory",
    description: "Where the process is started; in a fresh temporary directory when it is left empty.",
    type: "string",
  },
};

const placeholder = (name: string): [string, string] => [name, `{{ ${name} }}`];

const worker = (
  collection: string,
  type: string,
  name: string,
  description: string,
  template: Record<string, unknown> = {},
): WorkerType => ({
  type,
  display_name: name,
  description,
  documentation_url: "",
  install_command: `pip install ${collection}`,
  logo_url: "",
  is_beta: false,
  default_base_job_configuration: template,
});

const COLLECTIONS: Record<string, WorkerType[]> = {
  prefect: [
    worker(
      "prefect",
      "process",
      "Process",
      "Runs flows as processes on the machine of the agent or worker.",
      {
        job_configuration: Object.fromEntries(Object.keys(PROCESS_VARIABLES).sort().map(placeholder)),
        variables: { type: "object", properties: PROCESS_VARIABLES },
      },
    ),
    // 2.20 clients refuse to create a pool for their agents when this one is missing.
    worker("prefect", "prefect-agent", "Prefect Agent", "Runs flows by agents of Prefect 2 and its blocks."),
  ],
  "prefect-aws": [worker("prefect-aws", "ecs", "AWS ECS", "Runs flows as tasks of Amazon ECS.")],
  "prefect-azure": [
    worker(
      "prefect-azure",
      "azure-container-instance",
      "Azure Container Instances",
      "Runs flows in container instances of Azure.",
    ),
  ],
  "prefect-docker": [worker("prefect-docker", "docker", "Docker", "Runs flows in Docker containers.")],
  "prefect-gcp": [
    worker("prefect-gcp", "cloud-run", "Google Cloud Run", "Runs flows as jobs of Cloud Run."),
    worker(
      "prefect-gcp",
      "cloud-run-v2",
      "Google Cloud Run V2",
      "Runs flows as jobs of Cloud Run, API version 2.",
    ),
    worker("prefect-gcp", "vertex-ai", "Google Vertex AI", "Runs flows as custom jobs of Vertex AI."),
  ],
  "prefect-kubernetes": [
    worker("prefect-kubernetes", "kubernetes", "Kubernetes", "Runs flows as Kubernetes jobs."),
  ],
};

/** Worker types by package and type. */
export const WORKER_TYPES: Readonly<Record<string, Record<string, WorkerType>>> = Object.fromEntries(
  Object.entries(COLLECTIONS).map(([name, types]) => [
    name,
    Object.fromEntries(types.map((one) => [one.type, one])),
  ]),
);
