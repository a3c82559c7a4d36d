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
    const value = this.optional(name);
    if (value === undefined) throw new TypeError(`Argument ${name} is not declared.`);
    return value;
  }

  /** The argument when it was given. */
  optional(name: string): string | undefined {
    return this.#arguments[this.#indexOf(name)];
  }

  /** All values of an argument that may be given several times. */
  many(name: string): readonly string[] {
    return this.#arguments.slice(this.#indexOf(name));
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

  /** Whether the option was given, or has been settled. */
  has(name: string): boolean {
    return this.#of(name) !== undefined;
  }

  /** The same, with more options settled. */
  with(options: Readonly<Record<string, OptionValue>>): Input {
    return new Input(this.command, this.#arguments, { ...this.#options, ...options });
  }

  #indexOf(name: string): number {
    const index = this.command.arguments.findIndex((argument) => argument.name === name);
    if (index < 0) throw new TypeError(`Argument ${name} is not declared.`);
    return index;
  }

  #of(name: string): OptionValue {
    return this.#options[name];
  }
}
