import type { Run } from "../command.ts";
import { loadProfiles } from "../profile_changes.ts";
import { printJson } from "../screen/json.ts";
import { printTable } from "../screen/table.ts";

export const run: Run = async (input, context) => {
  const { name: active, profiles: { profiles } } = await loadProfiles(input, context);
  const names = Object.keys(profiles).sort();
  if (context.isJson) return printJson(names.map((name) => ({ name, is_active: name === active })), context);
  await printTable({
    title: "Available Profiles:",
    columns: [{ header: "Profile", style: "green", min: 16 }, { header: "Server" }],
    rows: names.map((name) => [
      name === active ? { text: `* ${name}`, style: "green" } : `  ${name}`,
      profiles[name]?.SLUICE_API_URL ?? profiles[name]?.PREFECT_API_URL ?? "",
    ]),
    caption: "* active profile",
  }, context.screen);
};
