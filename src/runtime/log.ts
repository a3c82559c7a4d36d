/** Log levels, most severe first. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The program's own log. Fields are small values; never a secret. */
export type Log = Record<LogLevel, (message: string, fields?: Record<string, unknown>) => void>;

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** The current time as text (ISO 8601). */
  time: () => string;
  /** Takes one line without its newline. Must not throw. */
  write: (line: string) => void;
}

/**
 * A log is one line to stderr: a library would be larger than what it saves here.
 * Text: `12:00:00 warn message key=value`. JSON: one object a line with `time`, `level`, `message` and the fields.
 */
export function buildLog(options: LogOptions): Log {
  const limit = LOG_LEVELS.indexOf(options.level);
  const at = (level: LogLevel) => (message: string, fields: Record<string, unknown> = {}) => {
    if (LOG_LEVELS.indexOf(level) > limit) return;
    const time = options.time();
    options.write(
      options.format === "json"
        ? JSON.stringify({ ...Object.fromEntries(entriesOf(fields)), time, level, message })
        : oneLine(
          [time.slice(11, 19), level, message, ...entriesOf(fields).map(([k, v]) => `${k}=${v}`)].join(" "),
        ),
    );
  };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}

/** A name with a line break in it must not look like a line of its own. */
const oneLine = (text: string): string => text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");

function entriesOf(fields: Record<string, unknown>): [string, unknown][] {
  return Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? `${value.name}: ${value.message}` : value,
  ]);
}

/** Writes a line to stderr. A terminal that was closed makes writing throw (EIO): losing the line is right then. */
export function writeStderr(line: string): void {
  drawStderr(`${line}\n`);
}

/** Writes text to stderr as it is, guarded like {@link writeStderr}. */
export function drawStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch { /* the terminal is gone */ }
}

/** Writes text to stdout, guarded like {@link writeStderr}. */
export function writeStdout(text: string): void {
  try {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  } catch { /* the terminal or the pipe is gone */ }
}

/** Writes text to stdout and waits until it was taken, which a stopped terminal may never do. Never rejects. */
export async function streamStdout(text: string): Promise<void> {
  try {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
  } catch { /* the terminal or the pipe is gone */ }
}

/** Says nothing. For tests. */
export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
