import type { Schema } from "../schemas/openapi.ts";
import { Html, html } from "./html.ts";

/** A schema in words: its type, what else it has to be; named schemas as links. */
export function typeOf(schema: Schema): Html {
  const limits = limitsOf(schema);
  return html`${kindOf(schema)}${
    limits.length === 0 ? "" : html`
      <span class="limits">${limits.join(", ")}</span>
    `
  }`;
}

function kindOf(schema: Schema): Html {
  const { $ref, anyOf, oneOf, enum: words, type, format, items, additionalProperties } = schema;
  if ($ref) {
    const id = $ref.split("/").at(-1) ?? "";
    return html`<a href="#schema-${id}">${id}</a>`;
  }
  const branches = anyOf ?? oneOf;
  if (branches) return either(branches.map(typeOf));
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (words) return either(words.map((word) => html`<code>${JSON.stringify(word)}</code>`));
  if (type === undefined) return html`any JSON`;
  if (Array.isArray(type)) return either(type.map((one) => kindOf({ ...schema, type: one })));
  if (type === "array") return html`array of ${typeOf(items ?? {})}`;
  if (type === "object" && isTyped(additionalProperties)) {
    return html`object of ${typeOf(additionalProperties)}`;
  }
  return html`${type === "string" && format ? format : type}`;
}

const isTyped = (schema: Schema | boolean | undefined): schema is Schema =>
  typeof schema === "object" && Object.keys(schema).length > 0;

function either(branches: readonly Html[]): Html {
  return html`${branches.map((branch, i) => html`${i === 0 ? "" : " or "}${branch}`)}`;
}

function limitsOf(schema: Schema): string[] {
  const { exclusiveMinimum: above, exclusiveMaximum: below, pattern } = schema;
  return [
    ...above === undefined ? [] : [`> ${above}`],
    ...below === undefined ? [] : [`< ${below}`],
    ...range(schema.minimum, schema.maximum, ""),
    ...range(schema.minLength, schema.maxLength, " characters"),
    ...range(schema.minItems, schema.maxItems, " items"),
    ...pattern === undefined ? [] : [`matching ${pattern}`],
  ];
}

function range(least: number | undefined, most: number | undefined, unit: string): string[] {
  if (least !== undefined && most !== undefined) return [`${least} to ${most}${unit}`];
  if (least !== undefined) return [`≥ ${least}${unit}`];
  return most === undefined ? [] : [`≤ ${most}${unit}`];
}

interface Field {
  name: string;
  schema: Schema;
  isRequired: boolean;
}

/** The fields of an object, those of unnamed objects within it too; nothing for what has no fields. */
export function fieldTable(schema: Schema): Html | "" {
  const fields = fieldsOf(schema, "");
  if (fields.length === 0) return "";
  return html`
    <table class="fields">
      <thead>
        <tr>
          <th>Field</th>
          <th>Type</th>
          <th>Default</th>
        </tr>
      </thead>
      <tbody>
    ${fields.map(fieldRow)}</tbody>
    </table>
  `;
}

/** Those that have to be there come first. */
function fieldsIn({ properties = {}, required = [] }: Schema, before: string): Field[] {
  const fields = Object.entries(properties).map(([name, schema]): Field => ({
    name: `${before}${name}`,
    schema,
    isRequired: required.includes(name),
  }));
  return fields.sort((a, b) => Number(b.isRequired) - Number(a.isRequired))
    .flatMap((field) => [field, ...fieldsOf(field.schema, `${field.name}.`)]);
}

function fieldsOf(schema: Schema, before: string): Field[] {
  const inner = (schema.anyOf ?? schema.oneOf ?? []).flatMap((branch) => fieldsOf(branch, before));
  const listed = schema.items ? fieldsOf(schema.items, before.replace(/\.$/, "[].")) : [];
  return [...fieldsIn(schema, before), ...listed, ...inner];
}

function fieldRow({ name, schema, isRequired }: Field): Html {
  const by = schema.default;
  const fallback = isRequired
    ? html`<i>required</i>`
    : by === undefined
    ? ""
    : html`<code>${JSON.stringify(by)}</code>`;
  return html`
    <tr>
      <th scope="row"><code>${name}</code></th>
      <td>${typeOf(schema)}</td>
      <td>${fallback}</td>
    </tr>
  `;
}
