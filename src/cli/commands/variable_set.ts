import { ApiError } from "../../client/http.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { parseJsonOrText } from "../run_options.ts";
import { printJson } from "../screen/json.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  const body = { name, value: parseJsonOrText(input.argument("VALUE")), tags: [...input.texts("tag")] };
  try {
    const variable = await api.variables.create(body);
    if (context.isJson) return printJson(variable, context);
    context.screen.line(`Set variable '${name}'.`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    if (!input.isSet("overwrite")) {
      throw new CliError(`Variable '${name}' exists already: --overwrite changes it.`, { cause: error });
    }
    await api.variables.update(name, body);
    if (context.isJson) return printJson(await api.variables.byName(name), context);
    context.screen.line(`Changed variable '${name}'.`);
  }
};
