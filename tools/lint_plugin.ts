/**
 * House rules as lint rules, so that plain `deno lint` keeps them.
 *
 * `sluice/import-direction`: a folder of `src/` imports only what docs/architecture.md allows it.
 * `sluice/no-ambient`: time, chance, environment and KV come from `Deps`, except in `runtime/` and the entry files.
 */

/** Folder of `src/` → the folders and packages it may import. `schemas` and `errors` are leaves, open to all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  schemas: ["zod", "croner", "rrule-temporal"],
  domain: ["croner", "rrule-temporal"],
  kv: ["runtime", "node:crypto", "node:zlib"],
  services: ["domain", "kv", "runtime", "@cfworker/json-schema"],
  routes: ["services", "runtime", "ui", "zod", "hono"],
  ui: [],
  scheduler: ["services", "runtime"],
  client: ["runtime", "zod"],
  agent: ["client", "runtime", "node:child_process", "@std/cli", "@std/text"],
  cli: ["client", "runtime", "agent", "zod", "commander", "string-width", "yaml", "@std/text"],
  runtime: ["zod", "@std/cli"],
};
const LEAVES = ["schemas", "errors"];
/** Same, but for `import type` only. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { client: ["routes"] };

const AMBIENT_MEMBERS = new Set([
  "Date.now",
  "performance.now",
  "Math.random",
  "crypto.randomUUID",
  "crypto.getRandomValues",
  "Deno.env",
  "Deno.openKv",
]);
const AMBIENT_CALLS = new Set(["setTimeout", "setInterval", "Date"]);

// File names come absolute. Compared with this file's own place, a checkout below a folder named `src` works too.
const ROOT = new URL("..", import.meta.url).pathname;

function layerOf(path: string): string | undefined {
  if (!path.startsWith(ROOT)) return undefined;
  return /^src\/(\w+)(?:\/|\.ts$)/.exec(path.slice(ROOT.length))?.[1];
}

function isEntryFile(path: string): boolean {
  return path.startsWith(ROOT) && !path.slice(ROOT.length).includes("/");
}

function targetOf(file: string, specifier: string): string {
  return specifier.startsWith(".") ? new URL(specifier, `file://${file}`).pathname : specifier;
}

function isAllowed(target: string, allowed: readonly string[]): boolean {
  const layer = target.startsWith("/") ? layerOf(target) : target;
  return layer !== undefined && allowed.some((name) => layer === name || layer.startsWith(`${name}/`));
}

const importDirection: Deno.lint.Rule = {
  create(context) {
    const from = layerOf(context.filename);
    const own = from === undefined ? undefined : MAY_IMPORT[from];
    if (from === undefined || own === undefined) return {};
    const allowed = [...own, ...(from === "errors" || from === "schemas" ? [] : LEAVES)];

    function check(
      source: { value?: unknown } & Deno.lint.Node | null | undefined,
      typesOnly: boolean,
    ): void {
      if (!source || typeof source.value !== "string") return;
      const target = targetOf(context.filename, source.value);
      if (layerOf(target) === from || isAllowed(target, allowed)) return;
      if (typesOnly && isAllowed(target, MAY_IMPORT_TYPES[from!] ?? [])) return;
      context.report({
        node: source,
        message: `src/${from} must not import ${source.value}.`,
        hint: `It may import: ${allowed.join(", ") || "nothing"} (docs/architecture.md).`,
      });
    }
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === "type"),
      TSImportType: (node) => check((node.argument as Deno.lint.TSLiteralType).literal, true),
      ImportExpression(node) {
        if (node.source.type === "Literal") check(node.source, false);
        else {context.report({
            node,
            message: "import() takes a literal here, so that its target can be checked.",
          });}
      },
    };
  },
};

const noAmbient: Deno.lint.Rule = {
  create(context) {
    const layer = layerOf(context.filename);
    if (layer === undefined || layer === "runtime" || isEntryFile(context.filename)) return {};
    const ban = (node: Deno.lint.Node, what: string) =>
      context.report({ node, message: `${what} is ambient: take it from Deps.` });
    return {
      MemberExpression(node) {
        if (node.computed || node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
        const name = `${node.object.name}.${node.property.name}`;
        if (AMBIENT_MEMBERS.has(name)) ban(node, name);
      },
      NewExpression(node) {
        const isNow = node.callee.type === "Identifier" && node.callee.name === "Date" &&
          node.arguments.length === 0;
        if (isNow) ban(node, "new Date()");
      },
      CallExpression(node) {
        if (node.callee.type === "Identifier" && AMBIENT_CALLS.has(node.callee.name)) {
          ban(node, `${node.callee.name}()`);
        }
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "sluice",
  rules: { "import-direction": importDirection, "no-ambient": noAmbient },
};
export default plugin;
