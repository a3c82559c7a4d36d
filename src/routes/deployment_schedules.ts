import { z } from "zod";
import {
  DeploymentSchedule,
  DeploymentScheduleCreate,
  DeploymentScheduleUpdate,
  ScheduleDeploymentBody,
} from "../schemas/schedule.ts";
import type { Services } from "../services/services.ts";
import { toSchedule } from "./deployment_shapes.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";

export function deploymentScheduleEndpoints(
  { autoRuns, deploymentSchedules }: Pick<Services, "autoRuns" | "deploymentSchedules">,
): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/deployments/:id/schedules",
      summary: "List a deployment's schedules, the most recently changed first",
      answers: { 200: z.array(DeploymentSchedule) },
    }, async ({ param }) => {
      const id = param("id");
      return ok((await deploymentSchedules.list(id)).map((schedule) => toSchedule(schedule, id)));
    }),
    endpoint({
      method: "POST",
      path: "/deployments/:id/schedules",
      summary: "Add schedules to a deployment",
      body: z.array(DeploymentScheduleCreate),
      answers: { 201: z.array(DeploymentSchedule) },
    }, async ({ param, body }) => {
      const id = param("id");
      return created((await deploymentSchedules.add(id, body)).map((schedule) => toSchedule(schedule, id)));
    }),
    endpoint({
      method: "PATCH",
      path: "/deployments/:id/schedules/:schedule",
      summary: "Change a schedule",
      body: DeploymentScheduleUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await deploymentSchedules.change(param("id"), param("schedule").toLowerCase(), body);
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/deployments/:id/schedules/:schedule",
      summary: "Delete a schedule",
      answers: { 204: null },
    }, async ({ param }) => {
      await deploymentSchedules.delete(param("id"), param("schedule").toLowerCase());
      return noContent();
    }),
    endpoint({
      method: "POST",
      path: "/deployments/:id/schedule",
      summary: "Make the runs of a deployment's schedules, within bounds",
      body: ScheduleDeploymentBody,
      answers: { 200: z.null() },
    }, async ({ param, body }) => {
      const { start_time, end_time, min_time, min_runs, max_runs } = body;
      await autoRuns.make(param("id"), {
        start: start_time,
        end: end_time,
        minTime: typeof min_time === "number" ? min_time * 1e6 : null,
        minRuns: min_runs,
        maxRuns: max_runs,
      });
      return ok(null);
    }),
  ];
}
