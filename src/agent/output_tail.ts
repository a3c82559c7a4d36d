/** Bounds of one batch. A batch is what one request carries. */
export interface BatchLimits {
  /** Bytes that the batch may take in a request. */
  bytes: number;
  lines: number;
}

export const BATCH_LIMITS: BatchLimits = { bytes: 200_000, lines: 1000 };

/** A longer line is cut into pieces of at most this many bytes. */
export const LONGEST_LINE_BYTES = 65_536;
/** What a log line costs in a request besides its text. */
const BYTES_PER_LINE = 200;
const CHUNK_BYTES = 65_536;
const NEWLINE = 10;

/**
 * Reads a growing file line by line. The file is the buffer: nothing is read before it is asked for, so memory stays
 * at a few hundred kilobytes however much is written.
 */
export class OutputTail implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** Read, but not handed out yet: `#buffer[#from..#to]`. */
  #buffer = new Uint8Array(LONGEST_LINE_BYTES + CHUNK_BYTES);
  #from = 0;
  #to = 0;
  #isBehind = false;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { read: true });
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Whether the last batch was full, so that more is waiting. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * The next lines, without their newlines; fewer than the limits allow when the file has no more, none at its end.
   * A last line without newline is kept back until `ended`, when nothing more will be written.
   */
  async read(ended: boolean, limits: BatchLimits = BATCH_LIMITS): Promise<string[]> {
    const lines: string[] = [];
    this.#isBehind = true;
    for (let bytes = 0; lines.length < limits.lines;) {
      const length = await this.#nextLength(ended);
      if (length === undefined) {
        this.#isBehind = false;
        break;
      }
      const line = clean(this.#decoder.decode(this.#buffer.subarray(this.#from, this.#from + length)));
      bytes += costOf(line, length);
      if (lines.length > 0 && bytes > limits.bytes) break;
      lines.push(line);
      this.#from += length;
      if (this.#buffer[this.#from] === NEWLINE && this.#from < this.#to) this.#from++;
    }
    return lines;
  }

  /** How many bytes the next line or piece has; undefined when there is none yet. */
  async #nextLength(ended: boolean): Promise<number | undefined> {
    for (let searched = 0;;) {
      const rest = this.#buffer.subarray(this.#from, this.#to);
      const newline = rest.indexOf(NEWLINE, searched);
      if (newline >= 0 && newline <= LONGEST_LINE_BYTES) return newline;
      if (rest.length > LONGEST_LINE_BYTES) return cutLength(rest);
      searched = rest.length;
      if (await this.#fill()) continue;
      return ended && rest.length > 0 ? rest.length : undefined;
    }
  }

  async #fill(): Promise<boolean> {
    const read = await this.#file.read(this.#chunk);
    if (read === null || read === 0) return false;
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    this.#buffer.set(this.#chunk.subarray(0, read), this.#to);
    this.#to += read;
    return true;
  }
}

/** The longest piece that does not cut a character of UTF-8 in two (a character has at most 4 bytes). */
function cutLength(bytes: Uint8Array): number {
  let length = LONGEST_LINE_BYTES;
  while (length > LONGEST_LINE_BYTES - 4 && isContinuation(bytes[length])) length--;
  return isContinuation(bytes[length]) ? LONGEST_LINE_BYTES : length;
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Of the control characters, tab, return and escape (colours) belong into text. */
const KEPT_CONTROLS = "\t\r\u001b";

/** Text as a log can keep it: other control characters replaced, the return of Windows' line ends gone. */
function clean(line: string): string {
  return line.replace(/\r$/, "").replace(
    /\p{Cc}/gu,
    (char) => KEPT_CONTROLS.includes(char) ? char : "\ufffd",
  );
}

/** Escapes count when the line is plain text, bytes when it is not. */
const costOf = (line: string, bytes: number): number =>
  Math.max(bytes, JSON.stringify(line).length) + BYTES_PER_LINE;

const LAST_BYTES = 16_384;
const LONGEST_SHOWN_LINE = 500;

/** The last `count` lines of a file that are not empty, for a message: long lines are shortened. */
export async function readLastLines(path: string, count = 10): Promise<string[]> {
  using file = await Deno.open(path, { read: true });
  const { size } = await file.stat();
  const start = Math.max(0, size - LAST_BYTES);
  await file.seek(start, Deno.SeekMode.Start);
  const text = new TextDecoder().decode(await readBytes(file, size - start));
  // The first line of a part of a file is a part of a line.
  const lines = text.split("\n").slice(start > 0 ? 1 : 0).map(clean).filter((line) => line.trim() !== "");
  return lines.slice(-count).map((line) =>
    line.length > LONGEST_SHOWN_LINE ? `${line.slice(0, LONGEST_SHOWN_LINE)}…` : line
  );
}

async function readBytes(file: Deno.FsFile, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}
