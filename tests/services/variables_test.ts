import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { VariableFilter } from "../../src/schemas/variable.ts";
import { World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const PAGE = { sort: "NAME_ASC", limit: 200, offset: 0 } as const;

const create = (world: World, name: string, value = `"x"`, tags: string[] = []) =>
  world.services.variables.create({ name, value, tags });

const names = async (world: World, body: Partial<Parameters<World["services"]["variables"]["list"]>[0]>) =>
  (await world.services.variables.list({ ...PAGE, ...body })).map(({ name }) => name);

Deno.test("Variables.create() makes one variable of a name, whoever races", async () => {
  using world = new World();
  const made = await Promise.allSettled([1, 2, 3].map((value) => create(world, "v", String(value))));
  const [winner] = made.filter((one) => one.status === "fulfilled");
  assertEquals(made.filter(({ status }) => status === "rejected").length, 2);
  assertEquals(await world.services.variables.byName("v"), winner?.value);
  const error = await assertRejects(() => create(world, "v"), DomainError);
  assertEquals([error.code, error.message], ["conflict", "A variable with the name 'v' already exists."]);
});

Deno.test("Variables.update() writes only what is given, and renames", async () => {
  using world = new World();
  const { variables } = world.services;
  const { id, created } = await create(world, "v", `{"a":5.0}`, ["t"]);
  await create(world, "taken");
  await world.deps.advance(1_000);
  await variables.update(id, { tags: null, name: null });
  assertEquals(await variables.get(id), {
    id,
    name: "v",
    value: `{"a":5.0}`,
    tags: ["t"],
    created,
    updated: created + 1_000_000,
  });
  await variables.updateByName("v", { name: "w", value: "null", tags: [] });
  const renamed = await variables.byName("w");
  assertEquals([renamed.id, renamed.value, renamed.tags], [id, "null", []]);
  await assertRejects(() => variables.byName("v"), DomainError, "Variable not found.");
  const error = await assertRejects(() => variables.update(id, { name: "taken" }), DomainError);
  assertEquals(error.code, "conflict");
  await create(world, "v");
});

Deno.test("Variables.update() loses nothing when another change comes between", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const { id } = await create(world, "v");
  kv.onCommit = async (commit) => {
    kv.onCommit = ({ send }) => send();
    await rival.services.variables.update(id, { tags: ["theirs"] });
    return await commit.send();
  };
  await world.services.variables.update(id, { value: "1" });
  const { value, tags } = await world.services.variables.get(id);
  assertEquals([value, tags], ["1", ["theirs"]]);
});

Deno.test("Variables.delete() frees the name; what is missing is said so", async () => {
  using world = new World();
  const { variables } = world.services;
  const { id } = await create(world, "v");
  await variables.deleteByName("v");
  const { id: second } = await create(world, "v");
  await variables.delete(second);
  const missing = [
    () => variables.get(id),
    () => variables.byName("v"),
    () => variables.byName("n".repeat(3_000)),
    () => variables.update(id, {}),
    () => variables.updateByName("v", {}),
    () => variables.delete(second),
    () => variables.deleteByName("v"),
  ];
  for (const call of missing) {
    assertEquals((await assertRejects(call, DomainError, "Variable not found.")).code, "not_found");
  }
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: [] })), []);
});

Deno.test("Variables.list() filters, sorts and pages; count() counts", async () => {
  using world = new World();
  for (const name of ["b", "c", "a"]) {
    await create(world, name, `"of ${name}"`, name === "b" ? [] : ["t"]);
    await world.deps.advance(1_000);
  }
  await world.services.variables.updateByName("c", { value: "1" });
  assertEquals(await names(world, {}), ["a", "b", "c"]);
  assertEquals(await names(world, { sort: "NAME_DESC", limit: 1, offset: 1 }), ["b"]);
  assertEquals(await names(world, { sort: "CREATED_DESC" }), ["a", "c", "b"]);
  assertEquals(await names(world, { sort: "UPDATED_DESC" }), ["c", "a", "b"]);
  const tagged = VariableFilter.parse({ tags: { all_: ["t"] } });
  assertEquals(await names(world, { variables: tagged }), ["a", "c"]);
  assertEquals(await world.services.variables.count(tagged), 2);
  assertEquals(await world.services.variables.count(null), 3);
});
