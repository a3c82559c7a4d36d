import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type Config,
  ConfigError,
  describeConfig,
  readConfig,
  serverHelp,
  SETTINGS,
} from "../../src/runtime/config.ts";

const read = (args: string[], env: Record<string, string> = {}) =>
  readConfig(args, { env: { HOME: "/home/u", ...env }, os: "linux" });

interface Sample {
  field: keyof Config;
  /** Texts that are allowed, each with what it is read as; one for the flag and each variable. */
  allowed: [text: string, value: unknown][];
  /** A text that is not, and a word of the refusal. Absent: every text is allowed. */
  refused?: [text: string, says: string];
}

const SAMPLES: Record<string, Sample> = {
  host: { field: "host", allowed: [["::1", "::1"], ["0.0.0.0", "0.0.0.0"], ["h", "h"]] },
  port: { field: "port", allowed: [["1", 1], ["0", 0], ["65535", 65_535]], refused: ["65536", "65535"] },
  kv: { field: "kv", allowed: [["a.sqlite3", "a.sqlite3"], [":memory:", ":memory:"]] },
  "log-level": {
    field: "logLevel",
    allowed: [["debug", "debug"], ["WARNING", "warn"], ["CRITICAL", "error"]],
    refused: ["loud", "error|warn|info|debug"],
  },
  "log-format": {
    field: "logFormat",
    allowed: [["json", "json"], ["text", "text"]],
    refused: ["xml", "text|json"],
  },
  "max-body-bytes": {
    field: "maxBodyBytes",
    allowed: [["2000", 2_000], ["1024", 1_024]],
    refused: ["8MB", "A number is expected"],
  },
  "heartbeat-seconds": {
    field: "heartbeatSeconds",
    allowed: [["0.5", 0.5], ["60", 60]],
    refused: ["61", "60"],
  },
  "allowed-host": { field: "allowedHosts", allowed: [["a", ["a"]], ["b, c,", ["b", "c"]]] },
};

Deno.test("readConfig() takes the flag, then the variables in their order, then the default", () => {
  assertEquals(Object.keys(SAMPLES), SETTINGS.map(({ flag }) => flag));
  for (const { flag, env } of SETTINGS) {
    const { field, allowed: [byFlag, ...byEnv] } = SAMPLES[flag]!;
    const fallback = read([])[field];
    assert(env[0]?.startsWith("SLUICE_"), `${flag}: Sluice's own name comes first`);
    assertEquals(byEnv.length, env.length, flag);
    for (let first = env.length; first >= 0; first--) {
      const set = Object.fromEntries(env.map((name, i) => [name, byEnv[i]![0]] as const).slice(first));
      assertEquals(read([], set)[field], byEnv[first]?.[1] ?? fallback, `${flag} ${JSON.stringify(set)}`);
      assertEquals(read([`--${flag}`, byFlag![0]], set)[field], byFlag![1], `--${flag}`);
      assertEquals(read([`--${flag}=${byFlag![0]}`], set)[field], byFlag![1], `--${flag}=`);
    }
  }
});

Deno.test("readConfig() names the flag or the variable whose value is not allowed, and what is", () => {
  for (const { flag, env } of SETTINGS) {
    const refused = SAMPLES[flag]!.refused;
    if (!refused) continue;
    const [text, says] = refused;
    const attempts: [name: string, read: () => unknown][] = [
      [`--${flag}`, () => read([`--${flag}`, text])],
      ...env.map((name): [string, () => unknown] => [name, () => read([], { [name]: text })]),
    ];
    for (const [name, attempt] of attempts) {
      const { message } = assertThrows(attempt, ConfigError);
      assert(message.startsWith(`${name}: '${text}' is not allowed`), message);
      assertStringIncludes(message, says);
      assertEquals(message.split("\n").length, 1);
    }
  }
});

Deno.test("readConfig() refuses what it does not know, and a flag without its value", () => {
  const cases: [args: string[], says: string][] = [
    [["--prt", "1"], "Unknown option '--prt'"],
    [["-p", "1"], "Unknown option '-p'"],
    [["--no-port"], "Unknown option '--no-port'"],
    [["extra"], "Unknown option 'extra'"],
    [["--port", "1", "--", "extra"], "Unknown option 'extra'"],
    [["--port"], "--port needs a value"],
    [["--port", ""], "--port needs a value"],
    [["--port", " "], "--port needs a value"],
    [["--kv", "--port", "1"], "--kv needs a value"],
    [["--allowed-host", "a", "--allowed-host"], "--allowed-host needs a value"],
  ];
  for (const [args, says] of cases) {
    assertStringIncludes(assertThrows(() => read(args), ConfigError).message, says);
  }
});

Deno.test("readConfig() takes options behind a leading -- and leaves empty variables out", () => {
  assertEquals(read(["--", "--port", "1"]).port, 1);
  const empty = Object.fromEntries(SETTINGS.flatMap(({ env }) => env).map((name) => [name, " "]));
  assertEquals(read([], { ...empty, SLUICE_KV_ACCESS_TOKEN: "" }), read([]));
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
});

Deno.test("readConfig() keeps state in the platform's data directory", () => {
  const kvOf = (os: typeof Deno.build.os, env: Record<string, string>) => readConfig([], { os, env }).kv;
  assertEquals(kvOf("linux", { HOME: "/h", XDG_DATA_HOME: "/data" }), "/data/sluice/sluice.sqlite3");
  assertEquals(kvOf("linux", { HOME: "/h", XDG_DATA_HOME: "" }), "/h/.local/share/sluice/sluice.sqlite3");
  assertEquals(kvOf("darwin", { HOME: "/h" }), "/h/Library/Application Support/sluice/sluice.sqlite3");
  const windows = { USERPROFILE: "C:\\u" };
  assertEquals(kvOf("windows", windows), "C:\\u\\AppData\\Local\\sluice\\sluice.sqlite3");
  assertEquals(kvOf("windows", { ...windows, LOCALAPPDATA: "D:\\l" }), "D:\\l\\sluice\\sluice.sqlite3");
});

Deno.test("readConfig() reads repeated flags into a list", () => {
  assertEquals(read(["--allowed-host", "a", "--allowed-host", "b"]).allowedHosts, ["a", "b"]);
});

Deno.test("describeConfig() shows every setting and no secret", () => {
  for (const name of ["SLUICE_KV_ACCESS_TOKEN", "DENO_KV_ACCESS_TOKEN"]) {
    const config = read([], { [name]: "secret-token" });
    assertEquals(config.kvToken, "secret-token");
    const shown = describeConfig(config);
    assertEquals(JSON.stringify(shown).includes("secret-token"), false);
    assertEquals(shown["kvToken"], "set");
    for (const { field } of Object.values(SAMPLES)) assert(field in shown, field);
  }
});

Deno.test("serverHelp() has every setting with its variables, default and meaning", () => {
  const help = serverHelp("the command");
  assertStringIncludes(help, "Usage: the command [options]");
  for (const setting of SETTINGS) {
    for (
      const word of [`--${setting.flag} ${setting.value}`, setting.help, setting.default, ...setting.env]
    ) {
      assertStringIncludes(help, word);
    }
  }
});
