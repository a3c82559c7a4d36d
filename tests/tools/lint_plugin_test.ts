import { assertEquals } from "@std/assert";
import plugin from "../../tools/lint_plugin.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The rules that complain about `code` in `file` of the project, in order. */
function complaints(file: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${file}`, code).map(({ id }) => id.replace("sluice/", ""));
}

const IMPORTS: readonly [file: string, code: string, allowed: boolean][] = [
  ["src/domain/gate.ts", 'import { x } from "./plan_claim.ts";', true],
  ["src/domain/gate.ts", 'import { DomainError } from "../errors.ts";', true],
  ["src/domain/gate.ts", 'import type { RunRecord } from "../schemas/records.ts";', true],
  ["src/domain/gate.ts", 'import { get } from "../kv/read.ts";', false],
  ["src/domain/gate.ts", 'import type { Key } from "../kv/keys.ts";', false],
  ["src/domain/gate.ts", 'export * from "../kv/keys.ts";', false],
  ["src/domain/gate.ts", 'export { runKey } from "../kv/keys.ts";', false],
  ["src/domain/gate.ts", 'export type { Key } from "../kv/keys.ts";', false],
  ["src/domain/gate.ts", 'await import("../kv/keys.ts");', false],
  ["src/domain/gate.ts", "await import(name);", false],
  ["src/domain/gate.ts", 'let key: import("../kv/keys.ts").Key<string>;', false],
  ["src/domain/gate.ts", 'import { z } from "zod";', false],
  ["src/schemas/wire.ts", 'import { z } from "zod";', true],
  ["src/schemas/wire.ts", 'import { DomainError } from "../errors.ts";', false],
  ["src/errors.ts", 'import { z } from "zod";', false],
  ["src/kv/read.ts", 'import type { Clock } from "../runtime/clock.ts";', true],
  ["src/kv/read.ts", 'import { planClaim } from "../domain/plan_claim.ts";', false],
  ["src/services/runs.ts", 'import { get } from "../kv/read.ts";', true],
  ["src/services/runs.ts", 'import { Hono } from "hono";', false],
  ["src/services/runs.ts", 'import { app } from "../routes/app.ts";', false],
  ["src/routes/runs.ts", 'import { Hono } from "hono";', true],
  ["src/routes/runs.ts", 'import { stream } from "hono/streaming";', true],
  ["src/routes/runs.ts", 'import { get } from "../kv/read.ts";', false],
  ["src/routes/runs.ts", 'import { planClaim } from "../domain/plan_claim.ts";', false],
  ["src/scheduler/late.ts", 'import { get } from "../kv/read.ts";', false],
  ["src/client/api.ts", 'import type { App } from "../routes/app.ts";', true],
  ["src/client/api.ts", 'import { app } from "../routes/app.ts";', false],
  ["src/agent/loop.ts", 'import { Api } from "../client/api.ts";', true],
  ["src/agent/loop.ts", 'import { claim } from "../services/claim.ts";', false],
  ["src/cli/run.ts", 'import { startServer } from "../services/server.ts";', false],
  ["main.ts", 'import { app } from "./src/routes/app.ts"; import { get } from "./src/kv/read.ts";', true],
];

for (const [file, code, allowed] of IMPORTS) {
  Deno.test(`import-direction ${allowed ? "allows" : "refuses"} in ${file}: ${code}`, () => {
    assertEquals(complaints(file, code), allowed ? [] : ["import-direction"]);
  });
}

const AMBIENT = [
  "Date.now();",
  "new Date();",
  "Date();",
  "performance.now();",
  "setTimeout(f, 1);",
  "setInterval(f, 1);",
  "Math.random();",
  "crypto.randomUUID();",
  "crypto.getRandomValues(bytes);",
  'Deno.env.get("A");',
  "Deno.openKv();",
];

for (const code of AMBIENT) {
  Deno.test(`no-ambient refuses ${code} in all of src/ but runtime/`, () => {
    assertEquals(complaints("src/services/runs.ts", code), ["no-ambient"]);
    assertEquals(complaints("src/runtime/clock.ts", code), []);
    assertEquals(complaints("main.ts", code), []);
    assertEquals(complaints("tests/services/runs_test.ts", code), []);
  });
}

Deno.test("no-ambient allows what depends on nothing outside", () => {
  assertEquals(
    complaints("src/services/runs.ts", "new Date(5); Math.floor(1.5); clock.now(); a.setTimeout();"),
    [],
  );
});

Deno.test("the rules look at the place in the project, not at folders above it", () => {
  const outside = Deno.lint.runPlugin(plugin, "/home/me/src/domain/other/x.ts", "Date.now();");
  assertEquals(outside, []);
  assertEquals(complaints("tools/src/domain/x.ts", "Date.now();"), []);
});
