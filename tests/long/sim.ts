/**
 * Deterministic simulation of the gate with fresh seeds.
 *
 *     deno task test:sim [seconds] [first seed]    fresh seeds for so many seconds (60)
 *     deno task test:sim --worlds N [first seed]   N worlds
 *     deno task test:sim --seed S                  one world, with its trace
 *     deno task test:sim --bug NAME …              with a bug planted in the test, until it is found
 *     deno task test:sim --bugs                    every planted bug, each within a bound
 *
 * A seed that fails replays exactly. Exit code 1 when one failed (or, with a bug, when none did).
 */
import { writeStdout } from "../../src/runtime/log.ts";
import { PLANTED_BUGS, withBug } from "../testing/sim_bugs.ts";

const args = [...Deno.args];
const take = (flag: string): string | undefined => {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};
const bug = take("--bug");
const only = take("--seed");
const worlds = take("--worlds");
if (bug !== undefined && !(bug in PLANTED_BUGS)) {
  throw new Error(`There is no bug '${bug}'. There are: ${Object.keys(PLANTED_BUGS).join(", ")}.`);
}
const seeksBugs = args.includes("--bugs");
const seconds = worlds ? Infinity : Number(args.shift() ?? 60);
const first = Number(only ?? args.shift() ?? Math.floor(Date.now() / 1000) % 1_000_000 * 1_000);
const most = only ? 1 : Number(worlds ?? Infinity);

const say = (line: string) => writeStdout(`${line}\n`);
/** A planted bug that is not found within so many worlds makes the simulation worth nothing. */
const WORLDS_FOR_A_BUG = 1_500;

const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;
if (seeksBugs) Deno.exit(await findAll() ? 0 : 1);

async function findAll(): Promise<boolean> {
  let found = 0;
  for (const name of Object.keys(PLANTED_BUGS)) {
    const began = elapsed();
    let seed = 1;
    while (seed <= WORLDS_FOR_A_BUG && (await withBug(name, seed)).fault === undefined) seed++;
    const took = `${(elapsed() - began).toFixed(1)} s`;
    if (seed <= WORLDS_FOR_A_BUG) found++;
    say(seed <= WORLDS_FOR_A_BUG ? `${name}: found by seed ${seed}, ${took}` : `${name}: not found, ${took}`);
  }
  const missing = Object.keys(PLANTED_BUGS).length - found;
  say(`planted bugs | ${found} passed | ${missing} failed`);
  return missing === 0;
}

let count = 0;
let failed = 0;
let steps = 0;
for (let seed = first; count < most && (only !== undefined || elapsed() < seconds); seed++) {
  const { fault, trace } = await withBug(bug, seed);
  count++;
  steps += trace.length;
  if (only !== undefined) say(trace.join("\n"));
  if (fault === undefined) continue;
  failed++;
  say(`seed ${seed} failed after ${trace.length} steps (${elapsed().toFixed(1)} s): ${fault}`);
  if (bug !== undefined) break;
  say(trace.slice(-12).join("\n"));
}
const rate = (count / elapsed()).toFixed(0);
say(`${count} worlds from seed ${first}, ${(steps / count).toFixed(0)} steps each, ${rate} worlds/s`);
say(`simulation | ${count - failed} passed | ${failed} failed`);
Deno.exit(failed > 0 === (bug === undefined) ? 1 : 0);
