import { deploy } from "./deployed.ts";
import { startServer } from "./started.ts";
import { tableShape } from "./table_shape.ts";
import { openTerminal } from "./terminal.ts";

Deno.test("tables fit into terminals of 80, 120 and 200 columns, wide characters included", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await using terminal = await openTerminal(server, folder, 80);
  await server.api.workPools.create({ name: "日本語のプール", is_paused: true, description: "夜の報告" });
  await deploy(server, {
    name: "a-deployment-with-quite-a-long-name",
    command: "true",
    pool: "日本語のプール",
  });
  const tables = [
    "work-pool ls",
    "work-pool ls -v",
    "work-pool preview 日本語のプール",
    "work-queue ls -v",
    "deployment ls",
    "flow ls",
    "flow-run ls -v",
    "profile ls",
  ];
  await terminal.run("sluice deployment run e2e/a-deployment-with-quite-a-long-name");
  for (const columns of [80, 120, 200]) {
    await terminal.resize({ columns, rows: 60 });
    for (const table of tables) tableShape(await terminal.run(`sluice ${table}`), columns);
  }
  await Deno.remove(folder, { recursive: true });
});
