/** Requests that no client of ours would send, byte for byte over a socket. */
import { assert, assertEquals } from "@std/assert";
import { startServer } from "./started.ts";

/** The status of the answer to `request`; 0 when the server just hangs up. Each character is one byte. */
async function statusOf(port: number, request: string): Promise<number> {
  using connection = await Deno.connect({ port });
  const bytes = Uint8Array.from(request, (char) => char.charCodeAt(0));
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // Refused before it was read to its end.
  }
  const answer = new Uint8Array(64);
  const length = await connection.read(answer).catch(() => null);
  const [, status = "0"] =
    /^HTTP\/1\.[01] (\d+)/.exec(new TextDecoder().decode(answer.subarray(0, length ?? 0))) ?? [];
  return Number(status);
}

const HOST = "Host: localhost\r\n";
const get = (path: string, headers = HOST) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const post = (headers: string, body: string) =>
  `POST /api/flows HTTP/1.1\r\n${HOST}${headers}\r\n\r\n${body}`;

Deno.test("what is no proper request is refused, never a fault, and the server goes on", async () => {
  await using server = await startServer(":memory:", ["--allowed-host", "*"]);
  const port = Number(new URL(server.url).port);
  const cases: [what: string, request: string, status: number | number[]][] = [
    [
      "many headers of 64 KiB",
      get("/api/health", `${HOST}${`X-A: ${"a".repeat(1_000)}\r\n`.repeat(64)}`),
      200,
    ],
    // Where there are two, the runtimes of the tests and of the binaries differ.
    ["one header of 64 KiB", get("/api/health", `${HOST}X-A: ${"a".repeat(65_536)}\r\n`), [400, 200]],
    ["500 headers", get("/api/health", `${HOST}${"X-A: a\r\n".repeat(500)}`), [400, 431]],
    ["a path of 60 KiB", get(`/api/flows/name/${"n".repeat(60 * 1024)}`), 404],
    ["a path of 100 KiB", get(`/api/flows/name/${"n".repeat(100 * 1024)}`), [400, 414]],
    ["half an escape", get("/api/flows/name/%"), 404],
    ["bytes in the path", get("/api/flows/name/\xff"), 400],
    ["no host", get("/docs", ""), 200],
    ["a host that is none", get("/docs", 'Host: a"><b\r\n'), 200],
    ["another form of the path", get("http://evil.example/api/health"), 200],
    ["no path", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["a tunnel", `CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["a negative length", post("Content-Length: -1", "{}"), 400],
    ["a length above the limit", post("Content-Length: 99999999999", "{}"), 413],
    ["two lengths", post("Content-Length: 2\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), [400, 422]],
    ["a chunk without length", post("Transfer-Encoding: chunked", "zz\r\n"), [0, 400]],
    ["a body that is no UTF-8", post("Content-Length: 12", '{"name":"\xff"}'), 422],
    ["TLS", "\x16\x03\x01\x02\x00\x01", 400],
    ["nonsense", "nonsense\r\n\r\n", 400],
  ];
  for (const [what, request, status] of cases) {
    const answered = await statusOf(port, request);
    assert([status].flat().includes(answered), `${what}: ${answered}`);
  }
  assertEquals(await server.api.health(), true);
  assertEquals(await server.api.flows.list(), []);
  assert(!server.process.output.includes("failed"), server.process.output);
  await server.process.end("SIGTERM");
});
