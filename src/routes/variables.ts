import { z } from "zod";
import {
  Variable,
  VariableCountBody,
  VariableCreate,
  VariableListBody,
  VariableUpdate,
} from "../schemas/variable.ts";
import type { Variables } from "../services/variables.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toVariable } from "./shapes.ts";

export function variableEndpoints(variables: Variables): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/variables",
      summary: "Create a variable",
      body: VariableCreate,
      answers: { 201: Variable },
    }, async ({ body }) => created(toVariable(await variables.create(body)))),
    endpoint({
      method: "POST",
      path: "/variables/filter",
      summary: "List variables",
      body: VariableListBody,
      answers: { 200: z.array(Variable) },
    }, async ({ body }) => ok((await variables.list(body)).map(toVariable))),
    endpoint({
      method: "POST",
      path: "/variables/count",
      summary: "Count variables",
      body: VariableCountBody,
      answers: { 200: z.int() },
    }, async ({ body }) => ok(await variables.count(body.variables))),
    ...byId(variables),
    ...byName(variables),
  ];
}

function byId(variables: Variables): Endpoint[] {
  const path = "/variables/:id";
  return [
    endpoint(
      { method: "GET", path, summary: "Get a variable", answers: { 200: Variable } },
      async ({ param }) => ok(toVariable(await variables.get(param("id")))),
    ),
    endpoint(
      { method: "PATCH", path, summary: "Change a variable", body: VariableUpdate, answers: { 204: null } },
      async ({ param, body }) => {
        await variables.update(param("id"), body);
        return noContent();
      },
    ),
    endpoint(
      { method: "DELETE", path, summary: "Delete a variable", answers: { 204: null } },
      async ({ param }) => {
        await variables.delete(param("id"));
        return noContent();
      },
    ),
  ];
}

function byName(variables: Variables): Endpoint[] {
  const path = "/variables/name/:name";
  return [
    endpoint(
      { method: "GET", path, summary: "Get a variable by name", answers: { 200: Variable } },
      async ({ param }) => ok(toVariable(await variables.byName(param("name")))),
    ),
    endpoint({
      method: "PATCH",
      path,
      summary: "Change a variable by name",
      body: VariableUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await variables.updateByName(param("name"), body);
      return noContent();
    }),
    endpoint(
      { method: "DELETE", path, summary: "Delete a variable by name", answers: { 204: null } },
      async ({ param }) => {
        await variables.deleteByName(param("name"));
        return noContent();
      },
    ),
  ];
}
