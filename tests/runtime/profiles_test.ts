import { assertEquals, assertRejects } from "@std/assert";
import {
  changeProfiles,
  findSetting,
  NO_PROFILES,
  type Profiles,
  ProfilesError,
  profilesFile,
  readActiveProfile,
  readProfiles,
} from "../../src/runtime/profiles.ts";

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/config/profiles.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const set = (name: string, settings: Record<string, string>) => (profiles: Profiles): Profiles => ({
  ...profiles,
  profiles: { ...profiles.profiles, [name]: settings },
});

Deno.test("profilesFile is in the config folder of the platform", () => {
  const file = (env: Record<string, string>, os: typeof Deno.build.os = "linux") => profilesFile({ env, os });
  assertEquals(file({ HOME: "/home/u" }), "/home/u/.config/sluice/profiles.json");
  assertEquals(file({ HOME: "/home/u", XDG_CONFIG_HOME: "/x" }), "/x/sluice/profiles.json");
  assertEquals(file({ HOME: "/Users/u" }, "darwin"), "/Users/u/.config/sluice/profiles.json");
  assertEquals(file({ APPDATA: "C:\\A" }, "windows"), "C:\\A\\sluice\\profiles.json");
  assertEquals(file({ USERPROFILE: "C:\\u" }, "windows"), "C:\\u\\AppData\\Roaming\\sluice\\profiles.json");
  assertEquals(file({ HOME: "/home/u", SLUICE_PROFILES_PATH: "/p.json" }), "/p.json");
});

Deno.test("readProfiles says none for a user who has set nothing", () =>
  inFolder(async (file) => assertEquals(await readProfiles(file), NO_PROFILES)));

Deno.test("changeProfiles makes the folder, keeps what is there and gives the file to its owner alone", () =>
  inFolder(async (file) => {
    await changeProfiles(file, set("a", { SLUICE_API_URL: "http://a/api" }));
    await changeProfiles(file, (profiles) => ({ ...profiles, active: "a" }));
    assertEquals(await readProfiles(file), {
      active: "a",
      profiles: { default: {}, a: { SLUICE_API_URL: "http://a/api" } },
    });
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  }));

Deno.test("changeProfiles loses nothing of what is changed at the same time", () =>
  inFolder(async (file) => {
    const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
    await Promise.all(names.map((name) => changeProfiles(file, set(name, {}))));
    assertEquals(Object.keys((await readProfiles(file)).profiles).sort(), ["default", ...names].sort());
  }));

Deno.test("changeProfiles refuses odd names and leaves everything as it was", () =>
  inFolder(async (file) => {
    const refused = (change: (profiles: Profiles) => Profiles, says: string) =>
      assertRejects(() => changeProfiles(file, change), ProfilesError, says);
    await refused(set("a/b", {}), "'a/b'");
    await refused(set("a", { HOME: "x" }), "'HOME'");
    await refused((profiles) => ({ ...profiles, active: "gone" }), "'gone'");
    assertEquals(await readProfiles(file), NO_PROFILES);
  }));

Deno.test("readProfiles names the place of what is wrong", () =>
  inFolder(async (file) => {
    await changeProfiles(file, (profiles) => profiles);
    const refused = async (text: string, says: string) => {
      await Deno.writeTextFile(file, text);
      await assertRejects(() => readProfiles(file), ProfilesError, says);
    };
    await refused("{", "holds no profiles");
    await refused('{"active":"a","profiles":{"a":{"SLUICE_API_URL":1}}}', "profiles.a.SLUICE_API_URL");
    await refused('{"active":"b","profiles":{"a":{}}}', "no profile 'b'");
  }));

Deno.test("readActiveProfile follows SLUICE_PROFILE, else the file", () =>
  inFolder(async (file) => {
    await changeProfiles(file, set("a", { SLUICE_API_URL: "http://a/api" }));
    const read = (env: Record<string, string> = {}) =>
      readActiveProfile({ env: { SLUICE_PROFILES_PATH: file, ...env }, os: "linux" });
    assertEquals(await read(), { name: "default", settings: {} });
    assertEquals((await read({ SLUICE_PROFILE: "a" })).settings, { SLUICE_API_URL: "http://a/api" });
    await assertRejects(() => read({ SLUICE_PROFILE: "b" }), ProfilesError, "no profile 'b'");
  }));

Deno.test("findSetting takes any name of the environment before the profile", () => {
  const names = ["SLUICE_API_URL", "PREFECT_API_URL"];
  const find = (env: Record<string, string>, profile: Record<string, string>) =>
    findSetting(names, env, profile);
  assertEquals(find({ PREFECT_API_URL: "e" }, { SLUICE_API_URL: "p" }), {
    name: "PREFECT_API_URL",
    value: "e",
    source: "env",
  });
  assertEquals(find({ SLUICE_API_URL: "" }, { SLUICE_API_URL: "p" })?.source, "profile");
  assertEquals(find({}, {}), undefined);
});
