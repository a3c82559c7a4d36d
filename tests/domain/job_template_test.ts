import { assertEquals } from "@std/assert";
import { findUndeclaredVariables } from "../../src/domain/job_template.ts";

const template = (job: unknown, variables: Record<string, unknown> = {}) => ({
  job_configuration: job,
  variables: { type: "object", properties: variables },
});

Deno.test("findUndeclaredVariables() finds what is used and not declared, sorted, each once", () => {
  const job = {
    command: "{{ command }} --day={{day}}",
    env: { A: "{{ value }}", B: ["{{  deep  }}", { c: "{{ value }}" }] },
    count: 3,
    off: null,
  };
  assertEquals(findUndeclaredVariables(template(job)), ["command", "day", "deep", "value"]);
  assertEquals(findUndeclaredVariables(template(job, { command: {}, day: {}, value: {} })), ["deep"]);
});

Deno.test("findUndeclaredVariables() takes a part of a declared variable for declared", () => {
  const job = { a: "{{ resources.cpu }} {{ hosts[0].name }}", b: "{{ other.cpu }}" };
  assertEquals(findUndeclaredVariables(template(job, { resources: {}, hosts: {} })), ["other.cpu"]);
});

Deno.test("findUndeclaredVariables() leaves the reference's own placeholders alone", () => {
  const job = { image: "{{ prefect.variables.image }}", key: "{{ prefect.blocks.secret.key }}" };
  assertEquals(findUndeclaredVariables(template(job)), []);
  assertEquals(findUndeclaredVariables(template({ a: "{{ prefectly }}" })), ["prefectly"]);
});

Deno.test("findUndeclaredVariables() finds nothing in text that is no placeholder", () => {
  assertEquals(findUndeclaredVariables(template({ a: "{ x }", b: "{{ }}", c: "{{ a b }}" })), []);
});

Deno.test("findUndeclaredVariables() takes a template without properties or without a job", () => {
  assertEquals(findUndeclaredVariables({ job_configuration: { a: "{{ x }}" }, variables: {} }), ["x"]);
  assertEquals(findUndeclaredVariables({ job_configuration: { a: "{{ x }}" }, variables: null }), ["x"]);
  assertEquals(findUndeclaredVariables({}), []);
});

Deno.test("findUndeclaredVariables() does not take inherited names for declared ones", () => {
  assertEquals(findUndeclaredVariables(template({ a: "{{ toString }} {{ constructor }}" })), [
    "constructor",
    "toString",
  ]);
});
