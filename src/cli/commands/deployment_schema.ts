import type { Run } from "../command.ts";
import { manifestSchema } from "../manifest/json_schema.ts";
import { printJson } from "../screen/json.ts";

export const run: Run = (_input, context) => {
  printJson(manifestSchema(), context);
  return Promise.resolve();
};
