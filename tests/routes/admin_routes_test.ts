import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

const BLOCK = "01a20d10-0000-7000-8000-00000000000a";

Deno.test("the default storage is null until it is set, and after it was deleted", async () => {
  await using app = await StartedApp.start();
  const read = async () => (await app.request("GET", "/admin/storage")).body;
  assertEquals(await read(), { default_result_storage_block_id: null });
  const set = await app.request("PUT", "/admin/storage", {
    default_result_storage_block_id: BLOCK.toUpperCase(),
  });
  assertEquals([set.status, set.body], [200, { default_result_storage_block_id: BLOCK }]);
  assertEquals(await read(), { default_result_storage_block_id: BLOCK });
  assertEquals(
    (await app.request("PUT", "/admin/storage", { default_result_storage_block_id: null })).status,
    422,
  );
  for (const _ of [1, 2]) assertEquals((await app.request("DELETE", "/admin/storage")).status, 204);
  assertEquals(await read(), { default_result_storage_block_id: null });
});

Deno.test("the settings have the versions and no secrets", async () => {
  await using app = await StartedApp.start();
  const { status, body } = await app.request("GET", "/admin/settings");
  assertEquals([status, Object.keys(Object(body)).sort()], [200, [
    "api_version",
    "heartbeat_seconds",
    "version",
  ]]);
});

Deno.test("the view of worker types has those of the reference, each with a template that a pool takes", async () => {
  await using app = await StartedApp.start();
  const { body } = await app.request("GET", "/collections/views/aggregate-worker-metadata");
  const view = body as Record<string, Record<string, Record<string, unknown>>>;
  assertEquals(Object.entries(view).map(([name, types]) => `${name}: ${Object.keys(types).join(" ")}`), [
    "prefect: process prefect-agent",
    "prefect-aws: ecs",
    "prefect-azure: azure-container-instance",
    "prefect-docker: docker",
    "prefect-gcp: cloud-run cloud-run-v2 vertex-ai",
    "prefect-kubernetes: kubernetes",
  ]);
  for (const [type, worker] of Object.values(view).flatMap((types) => Object.entries(types))) {
    assertEquals(Object.keys(worker).sort(), [
      "default_base_job_configuration",
      "description",
      "display_name",
      "documentation_url",
      "install_command",
      "is_beta",
      "logo_url",
      "type",
    ]);
    const base_job_template = worker["default_base_job_configuration"];
    const made = await app.request("POST", "/work_pools/", { name: `of ${type}`, type, base_job_template });
    assertEquals(made.status, 201, made.text);
  }
  const process = view["prefect"]!["process"]!["default_base_job_configuration"] as Record<string, unknown>;
  assertEquals(Object.keys(process["job_configuration"] as object), [
    "command",
    "env",
    "labels",
    "name",
    "stream_output",
    "working_dir",
  ]);
  assertEquals((await app.request("GET", "/collections/views/nope")).status, 404);
});
