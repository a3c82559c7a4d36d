/** Starting over a store that does not answer, and from where a server lets itself be reached. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Started } from "./started.ts";

const TOKEN = { SLUICE_KV_ACCESS_TOKEN: "t" };

/** Takes connections and never says a word. */
function silentListener(): { url: string; met: Promise<void>; [Symbol.asyncDispose](): Promise<void> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Deno.Conn[] = [];
  const met = Promise.withResolvers<void>();
  const taking = (async () => {
    for await (const connection of listener) {
      open.push(connection);
      met.resolve();
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    met: met.promise,
    async [Symbol.asyncDispose]() {
      listener.close();
      await taking;
      for (const connection of open) connection.close();
    },
  };
}

Deno.test("a server that waits for its KV ends on SIGTERM with one line", async () => {
  await using silent = silentListener();
  await using server = new Started("main.ts", ["--port", "0", "--kv", silent.url], TOKEN);
  await silent.met;
  const started = performance.now();
  assertEquals(await server.end("SIGTERM"), 1);
  assert(performance.now() - started < 3_000, "it took too long");
  assertEquals(server.output, `Stopped before the KV at ${silent.url} answered.\n`);
});

Deno.test("a KV that never answers is given up", async () => {
  await using silent = silentListener();
  await using server = new Started("main.ts", ["--port", "0", "--kv", silent.url], TOKEN);
  assertEquals(await server.ended(), 1);
  assertMatch(server.output, /^The KV at http:\S+ does not answer\. .*\n$/);
});

Deno.test("a KV file has one server, whatever name it is called by", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/kv.sqlite3`, "");
  await Deno.symlink(`${folder}/kv.sqlite3`, `${folder}/other-name`);
  await using first = new Started("main.ts", ["--port", "0", "--kv", `${folder}/kv.sqlite3`]);
  await first.said(/listens on/);
  await using second = new Started("main.ts", ["--port", "0", "--kv", `${folder}/other-name`]);
  assertEquals(await second.ended(), 1);
  assertMatch(second.output, /in use by another server/);
  await first.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a server that others can reach warns, and answers to the allowed names only once they are given", async () => {
  const ask = async (server: Started, host: string): Promise<number> => {
    const [, port] = (await server.said(/API +http:\/\/0\.0\.0\.0:(\d+)/))!;
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const text = `GET /api/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(text));
    return Number((await new Response(connection.readable).text()).split(" ")[1]);
  };
  const everywhere = ["--port", "0", "--kv", ":memory:", "--host", "0.0.0.0"];
  await using any = new Started("main.ts", everywhere);
  assertEquals(await ask(any, "build-7:4200"), 200);
  await any.said(/Warning: everybody who reaches 0\.0\.0\.0 can use it/);
  await using named = new Started("main.ts", [...everywhere, "--allowed-host", "build-7"]);
  assertEquals([await ask(named, "build-7:4200"), await ask(named, "evil.example")], [200, 421]);
  await Promise.all([any.end("SIGTERM"), named.end("SIGTERM")]);
});
