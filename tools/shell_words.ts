/** The words of a command line as a shell would split it, for lines with single quotes and nothing else. */
export const splitWords = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
