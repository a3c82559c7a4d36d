/** The command could not do what it was asked for: exit code 1. `message` is one line for the user. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly exitCode: number = 1;
}

/** The command line cannot be understood: exit code 2. */
export class UsageError extends CliError {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}
