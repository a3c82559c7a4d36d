/** A real shared KV server for tests: the program `denokv` on a port and a file of its own. */

const TOKEN = "test-access-token";
const ROOT = new URL("../../", import.meta.url).pathname;
const INSTALL = "cargo install denokv --locked --root .cache/denokv";

export interface DenokvServer extends AsyncDisposable {
  /** For `Deno.openKv`. */
  url: string;
  /** Opens a new connection. */
  open(): Promise<Deno.Kv>;
}

/**
 * Starts `denokv` and waits until it listens. Throws with the command that installs it when it is not there.
 * Dispose to stop it and to delete its file.
 */
export async function startDenokv(): Promise<DenokvServer> {
  const program = await findDenokv();
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command(program, {
    args: [
      "--sqlite-path",
      `${folder}/kv.sqlite3`,
      "serve",
      "--access-token",
      TOKEN,
      "--addr",
      "127.0.0.1:0",
    ],
    env: { RUST_LOG: "info" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [own, rest] = child.stderr.tee();
  const drained = rest.pipeTo(new WritableStream());
  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    await Promise.all([child.status, drained]);
    await Deno.remove(folder, { recursive: true });
  }
  try {
    const url = await readAddress(own);
    // Deno takes the token of a KV server from nowhere else.
    Deno.env.set("DENO_KV_ACCESS_TOKEN", TOKEN);
    return { url, open: () => Deno.openKv(url), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The port is the system's choice and stands in the log. */
async function readAddress(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stderr.pipeThrough(new TextDecoderStream())) {
    text += part;
    const address = /Listening on (http:\S+)\n/.exec(text)?.[1];
    if (address) return address;
  }
  throw new Error(`denokv ended before it listened: ${text.trim()}`);
}

async function findDenokv(): Promise<string> {
  const named = Deno.env.get("SLUICE_DENOKV");
  const places = [
    ...(named ? [named] : []),
    `${ROOT}.cache/denokv/bin/denokv`,
    `${Deno.env.get("HOME")}/.cache/sluice/denokv/bin/denokv`,
  ];
  for (const place of places) {
    if (await Deno.stat(place).then((found) => found.isFile, () => false)) return place;
  }
  throw new Error(
    `denokv is not at ${places.join(" nor ")}: install it with \`${INSTALL}\`, or set SLUICE_DENOKV.`,
  );
}
