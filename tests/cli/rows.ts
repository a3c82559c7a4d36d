/** The cells of the tables in a text, row by row. */
export const rowsOf = (text: string): string[][] =>
  text.split("\n").filter((line) => line.startsWith("│"))
    .map((line) => line.split("│").slice(1, -1).map((cell) => cell.trim()));
