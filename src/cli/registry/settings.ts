import type { ArgumentSpec, CommandSpec } from "../command.ts";
import { rows } from "./shared.ts";

const variable: ArgumentSpec = { name: "NAME", summary: "The variable's name", completes: "variable" };
const profile: ArgumentSpec = { name: "NAME", summary: "The profile's name", completes: "profile" };

export const VARIABLE_COMMANDS: readonly CommandSpec[] = [
  {
    group: "variable",
    name: "set",
    summary: "Set a variable, for deployments and job templates to refer to",
    arguments: [
      { name: "NAME", summary: "Small letters, digits, - and _" },
      { name: "VALUE", summary: "JSON is taken as JSON, anything else as text" },
    ],
    options: [
      { name: "overwrite", kind: "switch", summary: "Change the variable if there is one of that name" },
      { name: "tag", short: "t", kind: "texts", value: "TAG", summary: "A tag. Repeatable" },
    ],
    example: "variable set bucket reports-eu --tag storage",
    printsData: true,
    load: () => import("../commands/variable_set.ts"),
  },
  {
    group: "variable",
    name: "get",
    summary: "Print the value of a variable",
    arguments: [variable],
    options: [],
    example: "variable get bucket",
    printsData: true,
    load: () => import("../commands/variable_get.ts"),
  },
  {
    group: "variable",
    name: "ls",
    summary: "List the variables",
    arguments: [],
    options: [rows(100)],
    example: "variable ls",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/variable_ls.ts"),
  },
  {
    group: "variable",
    name: "inspect",
    summary: "Show everything about a variable",
    arguments: [variable],
    options: [],
    example: "variable inspect bucket",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/variable_inspect.ts"),
  },
  ...(["unset", "delete"] as const).map((name): CommandSpec => ({
    group: "variable",
    name,
    summary: name === "unset" ? "Delete a variable" : "The same as variable unset",
    arguments: [variable],
    options: [],
    example: `variable ${name} bucket --yes`,
    asks: true,
    load: () => import("../commands/variable_unset.ts"),
  })),
];

export const CONFIG_COMMANDS: readonly CommandSpec[] = [
  {
    group: "config",
    name: "view",
    summary: "Show the settings that count here, and where each comes from",
    arguments: [],
    options: [
      { name: "show-defaults", kind: "switch", summary: "Also those that nobody has set" },
      { name: "hide-sources", kind: "switch", summary: "Do not say where they come from" },
    ],
    example: "config view --show-defaults",
    printsData: true,
    load: () => import("../commands/config_view.ts"),
  },
  {
    group: "config",
    name: "set",
    summary: "Write settings into the profile",
    arguments: [{
      name: "SETTING",
      summary: "NAME=VALUE, the name as it is in the environment",
      arity: "many",
    }],
    options: [],
    example: "config set SLUICE_API_URL=http://127.0.0.1:4200/api",
    load: () => import("../commands/config_set.ts"),
  },
  {
    group: "config",
    name: "unset",
    summary: "Take settings out of the profile",
    arguments: [{ name: "SETTING", summary: "The name of a setting", arity: "many" }],
    options: [],
    example: "config unset SLUICE_API_URL --yes",
    asks: true,
    load: () => import("../commands/config_unset.ts"),
  },
];

export const PROFILE_COMMANDS: readonly CommandSpec[] = [
  {
    group: "profile",
    name: "ls",
    summary: "List the profiles",
    arguments: [],
    options: [],
    example: "profile ls",
    printsData: true,
    load: () => import("../commands/profile_ls.ts"),
  },
  {
    group: "profile",
    name: "create",
    summary: "Create a profile: settings under a name",
    arguments: [{ name: "NAME", summary: "What the profile is called" }],
    options: [
      {
        name: "from",
        kind: "text",
        value: "NAME",
        summary: "Start as a copy of this profile",
        completes: "profile",
      },
    ],
    example: "profile create staging",
    load: () => import("../commands/profile_create.ts"),
  },
  {
    group: "profile",
    name: "use",
    summary: "Make a profile the active one",
    arguments: [profile],
    options: [],
    example: "profile use staging",
    load: () => import("../commands/profile_use.ts"),
  },
  {
    group: "profile",
    name: "inspect",
    summary: "Show the settings of a profile, or of the active one",
    arguments: [{ ...profile, arity: "optional" }],
    options: [],
    example: "profile inspect staging",
    printsData: true,
    load: () => import("../commands/profile_inspect.ts"),
  },
  {
    group: "profile",
    name: "rename",
    summary: "Rename a profile",
    arguments: [profile, { name: "NEW_NAME", summary: "What it is called from now on" }],
    options: [],
    example: "profile rename staging production",
    load: () => import("../commands/profile_rename.ts"),
  },
  {
    group: "profile",
    name: "delete",
    summary: "Delete a profile that is not the active one",
    arguments: [profile],
    options: [],
    example: "profile delete staging --yes",
    asks: true,
    load: () => import("../commands/profile_delete.ts"),
  },
];
