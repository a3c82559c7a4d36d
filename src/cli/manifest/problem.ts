/** Something in a manifest that is refused or only noted. */
export interface Problem {
  /** Line in the file, from 1. */
  line: number;
  message: string;
}

/** `file:line: message`, the way editors and terminals link it. */
export const formatProblem = (file: string, { line, message }: Problem): string =>
  `${file}:${line}: ${message}`;

/** In the order of the file. */
export const byLine = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => a.line - b.line);
