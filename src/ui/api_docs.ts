/** The page of the API: every operation and every schema of its description, as plain HTML. */
import type { OpenApi, Operation, Parameter, Response, Schema } from "../schemas/openapi.ts";
import { API_DOCS_STYLE_PATH } from "./api_docs_style.ts";
import { Html, html } from "./html.ts";
import { sampleOf } from "./sample.ts";
import { fieldTable, typeOf } from "./schema_html.ts";

/** @param origin scheme and host under which the reader reached this page */
export function apiDocsPage(document: OpenApi, origin: string): string {
  const { info, servers, tags, components } = document;
  const base = `${origin}${servers[0]?.url ?? ""}`;
  const operations = operationsOf(document);
  const groups = tags.map(({ name }) => ({
    name,
    title: `${name[0]?.toUpperCase()}${name.slice(1).replaceAll("_", " ")}`,
    sections: operations.filter((one) => one.tags.includes(name)),
  }));
  const schemas = Object.entries(components.schemas);
  const navigation = [
    ...groups.map(({ title, sections }) => linkList(title, sections.map(operationLink))),
    linkList("Schemas", schemas.map(([id]) => html`<a href="#schema-${id}">${id}</a>`)),
  ];
  const content = [
    introduction(document, base),
    ...groups.flatMap(({ name, title, sections }) => [
      html`<h2 id="tag-${name}">${title}</h2>`,
      ...sections.map((one) => operationSection(one, document, base)),
    ]),
    html`<h2 id="schemas">Schemas</h2>`,
    ...schemas.map(([id, schema]) => schemaSection(id, schema)),
  ];
  return page(`${info.title} API`, navigation, content);
}

function page(title: string, navigation: readonly Html[], content: readonly Html[]): string {
  const head = html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${API_DOCS_STYLE_PATH}">`;
  const body = html`<nav aria-label="Operations"><h2><a href="#top">${title}</a></h2>${navigation}</nav>
<main id="top">${content}</main>`;
  return `<!DOCTYPE html>\n<html lang="en">\n<head>${head.text}</head>\n<body>${body.text}</body>\n</html>\n`;
}

function introduction({ info }: OpenApi, base: string): Html {
  return html`<header><h1>${info.title} API <small>${info.version}</small></h1>
${paragraphs(info.description)}
<p>Address: <code>${base}</code>. For programs: <a href="${base}/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
</header>`;
}

function linkList(title: string, links: readonly Html[]): Html {
  return html`
    <details>
      <summary>${title}</summary>
      <ul>${links.map((link) => html`<li>${link}</li>`)}</ul>
    </details>
  `;
}

const operationLink = ({ operationId, summary, method }: Placed): Html =>
  html`<a href="#${operationId}">${summary} ${methodMark(method)}</a>`;

interface Placed extends Operation {
  method: string;
  path: string;
}

function operationsOf({ paths }: OpenApi): Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    }))
  );
}

const methodMark = (method: string): Html => html`<b class="method ${method.toLowerCase()}">${method}</b>`;

/** Text in paragraphs; what stands between backticks is code. */
function paragraphs(text: string): Html[] {
  return text.split("\n\n").map((paragraph) =>
    html`<p>${paragraph.split("`").map((part, i) => i % 2 === 1 ? html`<code>${part}</code>` : part)}</p>\n`
  );
}

function operationSection(operation: Placed, document: OpenApi, base: string): Html {
  const { operationId, method, path, summary, requestBody } = operation;
  const body = requestBody?.content["application/json"]?.schema;
  const parameters = operation.parameters ?? [];
  return html`
    <section id="${operationId}">
    <h3><a href="#${operationId}">${summary}</a></h3>
    <p class="call">${methodMark(method)} <code>${breakable(
      `${document.servers[0]?.url ?? ""}${path}`,
    )}</code></p>
    ${parameterTable("Path", parameters.filter((one) => one.in === "path"))}
    ${parameterTable("Query", parameters.filter((one) => one.in === "query"))}
    ${body
      ? html`<h4>Body: ${typeOf(body)}${
        requestBody?.required ? "" : html`
          <i>optional</i>
        `
      }</h4>${bodyFields(body, document)}`
      : ""}
    <h4>Answers</h4>
    <table class="answers"><tbody>
    ${Object.entries(operation.responses).map(([status, response]) => answerRow(status, response, document))}
    </tbody></table>
    <h4>Example</h4>
    <pre><code>${curl(operation, document, base)}</code></pre>
    </section>
  `;
}

/** Long paths may break after a slash. */
function breakable(path: string): Html[] {
  return path.split(/(?<=\/)/).map((part) => html`${part}<wbr>`);
}

function parameterTable(title: string, parameters: readonly Parameter[]): Html | "" {
  if (parameters.length === 0) return "";
  const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
  const required = parameters.filter((one) => one.required).map(({ name }) => name);
  return html`<h4>${title}</h4>${fieldTable({ properties, required })}`;
}

/** The fields of a body right where it is used: nobody should have to follow a link to write a request. */
function bodyFields(schema: Schema, { components }: OpenApi): Html | "" {
  const inner = schema.items ?? schema;
  const id = inner.$ref?.split("/").at(-1);
  return fieldTable(id === undefined ? inner : components.schemas[id] ?? inner);
}

function answerRow(status: string, response: Response, { components }: OpenApi): Html {
  const id = "$ref" in response ? response.$ref.split("/").at(-1) ?? "" : undefined;
  const found = id === undefined ? response : components.responses[id] ?? response;
  const { description, content } = found as Exclude<Response, { $ref: string }>;
  const [type, shape] = Object.entries(content ?? {})[0] ?? [];
  const what = shape === undefined
    ? ""
    : type === "application/json"
    ? typeOf(shape.schema)
    : html`<code>${type!}</code>`;
  return html`
    <tr class="${status < "300" ? "good" : "refused"}">
      <th scope="row">${status}</th>
      <td>${what}</td>
      <td>${paragraphs(description)}</td>
    </tr>
  `;
}

function schemaSection(id: string, schema: Schema): Html {
  return html`
    <section id="schema-${id}">
    <h3><a href="#schema-${id}">${id}</a></h3>
    ${schema.properties ? fieldTable(schema) : html`<p>${typeOf(schema)}</p>`}
    </section>
  `;
}

/** A request that can be pasted into a shell. */
function curl(
  { method, path, parameters = [], requestBody }: Placed,
  document: OpenApi,
  base: string,
): string {
  const ofPath = new Map(parameters.map(({ name, schema }) => [name, schema]));
  const filled = path.replace(
    /\{(\w+)\}/g,
    (_, name: string) =>
      ofPath.get(name)?.format === "uuid" ? String(sampleOf({ format: "uuid" }, {})) : `my-${name}`,
  );
  const query = parameters.filter((one) => one.in === "query" && one.required)
    .map(({ name, schema }) => `${name}=${encodeURIComponent(String(sampleOf(schema, {})))}`);
  const url = `${base}${filled}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  const schema = requestBody?.content["application/json"]?.schema;
  const words = ["curl", ...method === "GET" ? [] : [`-X ${method}`], quoted(url)].join(" ");
  if (schema === undefined) return words;
  const body = JSON.stringify(sampleOf(schema, document.components.schemas), undefined, 2);
  return `${words} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(body)}`;
}

/** Quotes text for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
