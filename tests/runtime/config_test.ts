import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, describeConfig, readConfig, serverHelp, SETTINGS } from "../../src/runtime/config.ts";

const read = (args: string[], env: Record<string, string> = {}) =>
  readConfig(args, { env: { HOME: "/home/u", ...env }, os: "linux" });

Deno.test("readConfig() takes the flag, then SLUICE_*, then the reference's name, then the default", () => {
  const both = { SLUICE_PORT: "2", PREFECT_SERVER_API_PORT: "3" };
  assertEquals(read(["--port", "1"], both).port, 1);
  assertEquals(read([], both).port, 2);
  assertEquals(read([], { PREFECT_SERVER_API_PORT: "3" }).port, 3);
  assertEquals(read([]).port, 4200);
});

Deno.test("readConfig() has a default for everything", () => {
  assertEquals(read([]), {
    host: "127.0.0.1",
    port: 4200,
    kv: "/home/u/.local/share/sluice/sluice.sqlite3",
    kvToken: undefined,
    logLevel: "info",
    logFormat: "text",
    maxBodyBytes: 8_388_608,
    heartbeatSeconds: 5,
    allowedHosts: [],
  });
  assertEquals(read([], { XDG_DATA_HOME: "/data" }).kv, "/data/sluice/sluice.sqlite3");
});

Deno.test("readConfig() reads lists from repeated flags and from commas", () => {
  assertEquals(read(["--allowed-host", "a", "--allowed-host", "b"]).allowedHosts, ["a", "b"]);
  assertEquals(read([], { SLUICE_ALLOWED_HOSTS: "a,b" }).allowedHosts, ["a", "b"]);
});

Deno.test("readConfig() reads the reference's level names", () => {
  assertEquals(read([], { PREFECT_LOGGING_SERVER_LEVEL: "WARNING" }).logLevel, "warn");
});

Deno.test("readConfig() names what was wrong and where it came from", () => {
  const cases: [args: string[], env: Record<string, string>, says: string][] = [
    [["--prt", "1"], {}, "'--prt'"],
    [["--port", "x"], {}, "--port: 'x'"],
    [["--port", "70000"], {}, "--port: '70000'"],
    [["--port"], {}, "--port needs a value"],
    [[], { SLUICE_PORT: "x" }, "SLUICE_PORT: 'x'"],
    [["--log-level", "loud"], {}, "error|warn|info|debug"],
    [["extra"], {}, "'extra'"],
  ];
  for (const [args, env, says] of cases) {
    assertStringIncludes(assertThrows(() => read(args, env), ConfigError).message, says);
  }
});

Deno.test("describeConfig() shows no secret", () => {
  const config = read([], { SLUICE_KV_ACCESS_TOKEN: "secret-token" });
  assertEquals(config.kvToken, "secret-token");
  assertEquals(JSON.stringify(describeConfig(config)).includes("secret-token"), false);
});

Deno.test("serverHelp() has every setting with its variables", () => {
  const help = serverHelp("x");
  for (const { flag, env } of SETTINGS) {
    for (const word of [`--${flag}`, ...env]) assertStringIncludes(help, word);
  }
});
