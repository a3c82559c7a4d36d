import { z } from "zod";
import { Deployment, DeploymentCreate, DeploymentUpdate } from "../schemas/deployment.ts";
import { DeploymentListBody } from "../schemas/filter.ts";
import { DeploymentFlowRunCreate, FlowRun } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import type { Services } from "../services/services.ts";
import { createdOrFound, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toDeployment, toFlowRun } from "./shapes.ts";

export function deploymentEndpoints(
  { deployments, flowRuns }: Pick<Services, "deployments" | "flowRuns">,
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/deployments",
      summary: "Create a deployment, or update it",
      body: DeploymentCreate,
      answers: { 200: Deployment, 201: Deployment },
    }, async ({ body }) => {
      const { view, isNew } = await deployments.upsert(body);
      return createdOrFound(isNew, toDeployment(view));
    }),
    endpoint({
      method: "POST",
      path: "/deployments/filter",
      summary: "List deployments",
      body: DeploymentListBody,
      answers: { 200: z.array(Deployment) },
    }, async ({ body }) => ok((await deployments.list(body)).map(toDeployment))),
    endpoint(
      {
        method: "GET",
        path: "/deployments/name/:flow/:name",
        summary: "Get a deployment by name",
        answers: { 200: Deployment },
      },
      async ({ param }) => ok(toDeployment(await deployments.byName(param("flow"), param("name")))),
    ),
    endpoint(
      { method: "GET", path: "/deployments/:id", summary: "Get a deployment", answers: { 200: Deployment } },
      async ({ param }) => ok(toDeployment(await deployments.get(param("id")))),
    ),
    endpoint({
      method: "PATCH",
      path: "/deployments/:id",
      summary: "Change a deployment",
      body: DeploymentUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await deployments.update(param("id"), body);
      return noContent();
    }),
    endpoint(
      { method: "DELETE", path: "/deployments/:id", summary: "Delete a deployment", answers: { 204: null } },
      async ({ param }) => {
        await deployments.delete(param("id"));
        return noContent();
      },
    ),
    endpoint({
      method: "POST",
      path: "/deployments/:id/create_flow_run",
      summary: "Run a deployment",
      body: DeploymentFlowRunCreate,
      answers: { 200: FlowRun, 201: FlowRun },
    }, async ({ param, body }) => {
      const { view, isNew } = await flowRuns.createFromDeployment(param("id"), body);
      return createdOrFound(isNew, toFlowRun(view, now()));
    }),
  ];
}
