/** Exit code of a shell that does not find a command. */
const NOT_FOUND = 127;

/**
 * Shows text through the user's pager: `$PAGER`, else `less -FRX`. Until it ends, Ctrl-C belongs to it.
 *
 * @returns false when there is no such pager; then nothing was shown
 */
export async function showInPager(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const pager = env.PAGER ?? "less -FRX";
  if (pager === "" || pager === "cat" || Deno.build.os === "windows") return false;
  const [program = ""] = pager.split(" ");
  if (!await isThere(program)) return false;
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    const child = new Deno.Command("sh", { args: ["-c", pager], stdin: "piped" }).spawn();
    await feed(child.stdin, text);
    return (await child.status).code !== NOT_FOUND;
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

async function isThere(program: string): Promise<boolean> {
  try {
    const check = new Deno.Command("sh", {
      args: ["-c", 'command -v -- "$1"', "sh", program],
      stdout: "null",
    });
    return (await check.output()).success;
  } catch {
    return false;
  }
}

/** Whoever leaves the pager early wants no more of the text. */
async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch { /* the pager has ended */ }
}
