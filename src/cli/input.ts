import type { CommandSpec } from "./command.ts";

export type OptionValue = string | number | boolean | readonly string[] | undefined;

/** What the user typed for one command, checked against its declaration. */
export class Input {
  readonly command: CommandSpec;
  readonly #arguments: readonly string[];
  readonly #options: Readonly<Record<string, OptionValue>>;

  constructor(
    command: CommandSpec,
    given: readonly string[],
    options: Readonly<Record<string, OptionValue>> = {},
  ) {
    this.command = command;
    this.#arguments = given;
    this.#options = options;
  }

  /** The arguments of a command that passes its flags through. */
  get rest(): readonly string[] {
    return this.#arguments;
  }

  argument(name: string): string {
    const index = this.command.arguments.findIndex((argument) => argument.name === name);
    const value = this.#arguments[index];
    if (value === undefined) throw new TypeError(`Argument ${name} is not declared.`);
    return value;
  }

  text(name: string): string | undefined {
    const value = this.#of(name);
    return typeof value === "string" ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#of(name);
    return Array.isArray(value) ? value.map(String) : [];
  }

  number(name: string): number | undefined {
    const value = this.#of(name);
    return typeof value === "number" ? value : undefined;
  }

  isSet(name: string): boolean {
    return this.#of(name) === true;
  }

  #of(name: string): OptionValue {
    return this.#options[name];
  }
}
