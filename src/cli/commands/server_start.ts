import type { Run } from "../command.ts";

export const run: Run = (input, { world }) => world.serverMain([...input.rest], world.env);
