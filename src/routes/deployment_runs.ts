import { z } from "zod";
import { DomainError } from "../errors.ts";
import { GetDeploymentRunsBody } from "../schemas/deployment.ts";
import { DeploymentFlowRunCreate, FlowRun, FlowRunBulkCreate } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import type { Services } from "../services/services.ts";
import { createdOrFound, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toFlowRun } from "./shapes.ts";

/** Runs that may be created by one request. */
const LARGEST_BULK = 100;

export function deploymentRunEndpoints(
  { flowRuns, scheduledRuns }: Pick<Services, "flowRuns" | "scheduledRuns">,
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/deployments/get_scheduled_flow_runs",
      summary: "Poll for the waiting runs of deployments",
      body: GetDeploymentRunsBody,
      answers: { 200: z.array(FlowRun) },
    }, async ({ body }) => {
      const views = await scheduledRuns.ofDeployments(body.deployment_ids, {
        scheduledBefore: body.scheduled_before ?? null,
        limit: body.limit,
      });
      return ok(views.map((view) => toFlowRun(view, now())));
    }),
    endpoint({
      method: "POST",
      path: "/deployments/:id/create_flow_run",
      summary: "Run a deployment",
      body: DeploymentFlowRunCreate,
      answers: { 201: FlowRun, 200: FlowRun },
    }, async ({ param, body }) => {
      const { view, isNew } = await flowRuns.createFromDeployment(param("id"), body);
      return createdOrFound(isNew, toFlowRun(view, now()));
    }),
    endpoint({
      method: "POST",
      path: "/deployments/:id/create_flow_run/bulk",
      summary: "Run a deployment several times",
      body: z.array(DeploymentFlowRunCreate),
      answers: { 200: FlowRunBulkCreate },
    }, async ({ param, body }) => {
      if (body.length > LARGEST_BULK) {
        throw new DomainError(
          "bad_request",
          `${body.length} runs are more than the ${LARGEST_BULK} that one request may create.`,
        );
      }
      const results = await flowRuns.createManyFromDeployment(param("id"), body);
      return ok({
        results: results.map(({ run, error }) => ({
          flow_run_id: run ?? null,
          status: run === undefined ? "FAILED" : "CREATED",
          error: error ?? null,
        })),
      });
    }),
  ];
}
