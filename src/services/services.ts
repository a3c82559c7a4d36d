import { GroupCommit } from "../kv/group_commit.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { AgentList } from "./agent_list.ts";
import { AutoRunCreation } from "./auto_run_creation.ts";
import { AutoRuns } from "./auto_runs.ts";
import { Agents } from "./agents.ts";
import { DeploymentLimits } from "./deployment_limits.ts";
import { DeploymentList } from "./deployment_list.ts";
import { DeploymentQueries } from "./deployment_queries.ts";
import { DeploymentRemoval } from "./deployment_removal.ts";
import { Deployments } from "./deployments.ts";
import { DeploymentSchedules } from "./deployment_schedules.ts";
import { Explain } from "./explain.ts";
import { Flows } from "./flows.ts";
import { FlowList } from "./flow_list.ts";
import { FlowRemoval } from "./flow_removal.ts";
import { FlowRunList } from "./flow_run_list.ts";
import { FlowRunBulk } from "./flow_run_bulk.ts";
import { FlowRunDeletion } from "./flow_run_deletion.ts";
import { FlowRunInputs } from "./flow_run_inputs.ts";
import { FlowRunStates } from "./flow_run_states.ts";
import { FlowRuns } from "./flow_runs.ts";
import { Gates } from "./gate/gates.ts";
import { Leftovers } from "./leftovers.ts";
import { Logs } from "./logs.ts";
import { MoveWaiting } from "./move_waiting.ts";
import { OverdueRuns } from "./overdue_runs.ts";
import { Polls } from "./polls.ts";
import { Removals } from "./removals.ts";
import { ResultStorage } from "./result_storage.ts";
import { Resume } from "./resume.ts";
import { RunIndex, type RunIndexOptions } from "./run_index/run_index.ts";
import { RunNews } from "./run_news.ts";
import { RunTargets } from "./run_targets.ts";
import { ScheduleChanges } from "./schedule_changes.ts";
import { ScheduledRuns } from "./scheduled_runs.ts";
import { SetState } from "./set_state.ts";
import { Slots } from "./slots.ts";
import { Variables } from "./variables.ts";
import { Workers } from "./workers.ts";
import { WorkPools } from "./work_pools.ts";
import { WorkQueues } from "./work_queues.ts";

/** The use cases, wired once. */
export interface Services {
  flows: Flows;
  flowList: FlowList;
  flowRemoval: FlowRemoval;
  variables: Variables;
  workPools: WorkPools;
  workQueues: WorkQueues;
  workers: Workers;
  removals: Removals;
  slots: Slots;
  deployments: Deployments;
  moveWaiting: MoveWaiting;
  deploymentLimits: DeploymentLimits;
  deploymentList: DeploymentList;
  deploymentSchedules: DeploymentSchedules;
  deploymentRemoval: DeploymentRemoval;
  flowRuns: FlowRuns;
  flowRunList: FlowRunList;
  flowRunStates: FlowRunStates;
  flowRunInputs: FlowRunInputs;
  flowRunBulk: FlowRunBulk;
  /** What lists, counts and charts read. Somebody has to keep it packed (`keepPacked`); reads do when nobody does. */
  runIndex: RunIndex;
  setState: SetState;
  explain: Explain;
  resume: Resume;
  scheduledRuns: ScheduledRuns;
  scheduleChanges: ScheduleChanges;
  autoRuns: AutoRuns;
  overdueRuns: OverdueRuns;
  logs: Logs;
  agents: Agents;
  leftovers: Leftovers;
  resultStorage: ResultStorage;
  agentList: AgentList;
  /** For what looks at the gates from outside. */
  gates: Gates;
}

/** `index`: for tests, other sizes and budgets of the index of runs. */
export function buildServices(deps: ServerDeps, { index }: { index?: RunIndexOptions } = {}): Services {
  const group = new GroupCommit(deps.kv, deps.clock);
  const news = new RunNews();
  const logs = new Logs(deps, group);
  const gates = new Gates(deps, (changes) => {
    news.notify(changes);
    logs.noteChanges(changes);
  });
  const limits = new DeploymentLimits(deps, gates);
  const polls = new Polls(deps);
  const flows = new Flows(deps, group);
  const pools = new WorkPools(deps, gates);
  const queues = new WorkQueues(deps, gates, pools);
  const variables = new Variables(deps);
  const deletion = new FlowRunDeletion(deps, { gates, group, logs });
  const scheduleChanges = new ScheduleChanges(deps, deletion);
  const deployments = new Deployments(deps, { flows, limits, pools, queues, scheduleChanges, variables });
  const inputs = new FlowRunInputs(deps, group);
  const runs = new FlowRuns(deps, { gates, group, flows, pools, queues, deployments, deletion });
  const queries = new DeploymentQueries(deps, flows, pools, queues);
  const runIndex = new RunIndex(deps, index);
  const list = new FlowRunList(deps, { flows, pools, queues, deployments: queries, runs, index: runIndex });
  const setState = new SetState(deps, gates, runs);
  return {
    flows,
    flowList: new FlowList(flows, queries, list),
    flowRemoval: new FlowRemoval(deps, { flows, deployments, runs, setState }),
    variables,
    workPools: pools,
    workQueues: queues,
    slots: new Slots(deps, pools, queues),
    workers: new Workers(deps, group, pools),
    deployments,
    moveWaiting: new MoveWaiting(deps, { deployments, runs }),
    deploymentLimits: limits,
    deploymentList: new DeploymentList(deps, queries, list),
    deploymentSchedules: new DeploymentSchedules(deployments),
    deploymentRemoval: new DeploymentRemoval({ deployments, queries, runs: list, setState }),
    flowRuns: runs,
    removals: new Removals(deps, { pools, queues, runs, setState }),
    explain: new Explain(deps, { gates, runs }),
    flowRunList: list,
    runIndex,
    flowRunStates: new FlowRunStates(deps.kv),
    flowRunInputs: inputs,
    flowRunBulk: new FlowRunBulk({ runs, list, setState }),
    setState,
    resume: new Resume(deps, { runs, inputs, setState }),
    scheduledRuns: new ScheduledRuns(deps, {
      gates,
      pools,
      queues,
      runs,
      runList: list,
      deployments: queries,
      polls,
    }),
    scheduleChanges,
    autoRuns: new AutoRuns(deps, {
      changes: scheduleChanges,
      creation: new AutoRunCreation(deps, { gates, flows, targets: new RunTargets(deps, { pools, queues }) }),
    }),
    overdueRuns: new OverdueRuns(deps, { runs: list, setState }),
    logs,
    agents: new Agents(deps, {
      gates,
      group,
      flows,
      pools,
      queues,
      deployments,
      runs,
      setState,
      polls,
      news,
    }),
    leftovers: new Leftovers(deps, deletion),
    resultStorage: new ResultStorage(deps),
    agentList: new AgentList(deps),
    gates,
  };
}
