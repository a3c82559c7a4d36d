/** Tables as text, RFC 4180. */

export const CSV = "text/csv";

export const csvRow = (values: readonly (string | number | null)[]): string =>
  values.map((value) => quoted(String(value ?? ""))).join(",") + "\r\n";

const quoted = (text: string): string => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** A header and a row for each item, made as the reader takes them: a batch at a time. */
export function csvStream<T>(
  columns: readonly string[],
  batches: AsyncIterable<readonly T[]>,
  toRow: (item: T) => string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  async function* texts() {
    yield encoder.encode(csvRow(columns));
    for await (const batch of batches) yield encoder.encode(batch.map(toRow).join(""));
  }
  return ReadableStream.from(texts());
}

/** The header that makes a browser save the answer under this name (RFC 6266). */
export function attachment(name: string): Record<string, string> {
  const ascii = name.replace(/[^\w. -]/g, "_");
  // A lone surrogate has no form in a URL.
  const full = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return { "content-disposition": `attachment; filename="${ascii}"; filename*=UTF-8''${full}` };
}
