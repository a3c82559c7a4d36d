/** Writes what is generated below docs/: cli.md, and the JSON Schema of deployment files. `deno task docs` */
import { manifestSchema } from "../src/cli/manifest/json_schema.ts";
import { cliDocs } from "./cli_docs.ts";

const root = new URL("..", import.meta.url);
const recorded = new URL("tests/data/reference_commands.txt", root);

/** The generated files by their path from the root, as `deno fmt` leaves them. */
export async function generatedDocs(): Promise<Record<string, string>> {
  const lines = (await Deno.readTextFile(recorded)).trim().split("\n");
  return {
    "docs/cli.md": await formatted("md", cliDocs(lines)),
    "docs/deployments.schema.json": await formatted("json", JSON.stringify(manifestSchema())),
  };
}

async function formatted(extension: string, text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", extension, "-"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout, success } = await output;
  if (!success) throw new Error(`deno fmt refused the ${extension}.`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await generatedDocs())) {
    await Deno.writeTextFile(new URL(path, root), text);
  }
}
