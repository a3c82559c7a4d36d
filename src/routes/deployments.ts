import { z } from "zod";
import {
  DeleteDeploymentQuery,
  Deployment,
  DeploymentBulkDelete,
  DeploymentCreate,
  DeploymentPage,
  DeploymentUpdate,
} from "../schemas/deployment.ts";
import {
  DeploymentBulkDeleteBody,
  DeploymentCountBody,
  DeploymentListBody,
  DeploymentPaginateBody,
} from "../schemas/filter.ts";
import type { Instant } from "../schemas/records.ts";
import { WorkQueue } from "../schemas/work_queue.ts";
import type { Services } from "../services/services.ts";
import { deploymentRunEndpoints } from "./deployment_runs.ts";
import { deploymentScheduleEndpoints } from "./deployment_schedules.ts";
import { toDeployment } from "./deployment_shapes.ts";
import { createdOrFound, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toWorkQueue } from "./shapes.ts";

type Parts = Pick<
  Services,
  | "autoRuns"
  | "deployments"
  | "deploymentList"
  | "deploymentRemoval"
  | "deploymentSchedules"
  | "flowRuns"
  | "moveWaiting"
  | "scheduledRuns"
  | "workQueues"
>;

export function deploymentEndpoints(services: Parts, now: () => Instant): Endpoint[] {
  return [
    ...listEndpoints(services),
    ...deploymentRunEndpoints(services, now),
    ...objectEndpoints(services),
    ...switchEndpoints(services),
    ...deploymentScheduleEndpoints(services),
  ];
}

function listEndpoints({ deploymentList, deploymentRemoval }: Parts): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/deployments/filter",
      summary: "List deployments",
      body: DeploymentListBody,
      answers: { 200: z.array(Deployment) },
    }, async ({ body }) => ok((await deploymentList.list(body)).map(toDeployment))),
    endpoint({
      method: "POST",
      path: "/deployments/paginate",
      summary: "List deployments, with their count",
      body: DeploymentPaginateBody,
      answers: { 200: DeploymentPage },
    }, async ({ body }) => {
      const { results, ...page } = await deploymentList.page(body);
      return ok({ results: results.map(toDeployment), ...page });
    }),
    endpoint({
      method: "POST",
      path: "/deployments/count",
      summary: "Count deployments",
      body: DeploymentCountBody,
      answers: { 200: z.number() },
    }, async ({ body }) => ok(await deploymentList.count(body))),
    endpoint(
      {
        method: "POST",
        path: "/deployments/bulk_delete",
        summary: "Delete the deployments that match, at most 50",
        body: DeploymentBulkDeleteBody,
        answers: { 200: DeploymentBulkDelete },
      },
      async ({ body }) =>
        ok({ deleted: await deploymentRemoval.deleteMatching(body.deployments, body.limit) }),
    ),
  ];
}

function objectEndpoints({ deployments, deploymentRemoval, moveWaiting }: Parts): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/deployments",
      summary: "Create a deployment, or update it",
      body: DeploymentCreate,
      answers: { 201: Deployment, 200: Deployment },
    }, async ({ body, header }) => {
      const { view, isNew } = await deployments.upsert(body, enforcesByDefault(header("user-agent")));
      return createdOrFound(isNew, toDeployment(view));
    }),
    endpoint({
      method: "GET",
      path: "/deployments/name/:flow/:name",
      summary: "Get a deployment by name",
      answers: { 200: Deployment },
    }, async ({ param }) => ok(toDeployment(await deployments.byName(param("flow"), param("name"))))),
    endpoint({
      method: "GET",
      path: "/deployments/:id",
      summary: "Get a deployment",
      answers: { 200: Deployment },
    }, async ({ param }) => ok(toDeployment(await deployments.get(param("id"))))),
    endpoint({
      method: "PATCH",
      path: "/deployments/:id",
      summary: "Change a deployment",
      body: DeploymentUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await deployments.update(param("id"), body);
      if (body.sluice?.move_waiting) await moveWaiting.follow(param("id"));
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/deployments/:id",
      summary: "Delete a deployment; cascade=cancel cancels its runs before",
      query: DeleteDeploymentQuery,
      answers: { 204: null },
    }, async ({ param, query, signal }) => {
      await deploymentRemoval.delete(param("id"), { cancels: query.cascade === "cancel", signal });
      return noContent();
    }),
  ];
}

/** The parameter schemas of 2.20 clients are not enforced unless they say so. */
const enforcesByDefault = (userAgent: string | undefined): boolean => !/^prefect\/2\./.test(userAgent ?? "");

function switchEndpoints({ deployments, deploymentSchedules, workQueues }: Parts): Endpoint[] {
  const onSwitch = (name: string, summary: string, run: (id: string) => Promise<void>) =>
    endpoint({
      method: "POST",
      path: `/deployments/:id/${name}`,
      summary,
      answers: { 200: z.null() },
    }, async ({ param }) => {
      await run(param("id"));
      return ok(null);
    });
  return [
    onSwitch("pause_deployment", "Pause a deployment", (id) => deployments.setPaused(id, true)),
    onSwitch("resume_deployment", "Resume a deployment", (id) => deployments.setPaused(id, false)),
    onSwitch(
      "set_schedule_active",
      "Resume a deployment and its one schedule",
      (id) => deploymentSchedules.setActive(id, true),
    ),
    onSwitch(
      "set_schedule_inactive",
      "Pause a deployment and its one schedule",
      (id) => deploymentSchedules.setActive(id, false),
    ),
    endpoint({
      method: "GET",
      path: "/deployments/:id/work_queue_check",
      summary: "List the work queues that the deployment's runs go to",
      answers: { 200: z.array(WorkQueue) },
    }, async ({ param }) => {
      const { deployment, queueName } = await deployments.get(param("id"));
      const queue = queueName === null ? null : deployment.queue;
      return ok(queue === null ? [] : [toWorkQueue(await workQueues.byId(queue))]);
    }),
  ];
}
