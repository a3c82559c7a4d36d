/**
 * A random world around the index of runs: writers, rival packers, processes that crash between their commits, builds
 * while others write. Whatever happened, every question has to be answered as brute force over the records answers it.
 */
import { DomainError } from "../../src/errors.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { listenToCommits } from "../../src/kv/commit.ts";
import { silentLog } from "../../src/runtime/log.ts";
import type { IndexRules } from "../../src/services/run_index/rules.ts";
import { RunIndex } from "../../src/services/run_index/run_index.ts";
import { HookedKv } from "../services/hooked_kv.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Instant } from "../../src/schemas/records.ts";
import { fakeDeps } from "./fake_deps.ts";
import { allRows, askOne } from "./run_questions.ts";
import { RunWriter } from "./run_writer.ts";
import { SIM_START } from "./sim_scheduler.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface IndexWorldOptions {
  kv: Deno.Kv;
  seed: number;
  /** Rounds of writing, folding and asking. */
  rounds: number;
  /** Questions a round. */
  questions: number;
  maxRows: number;
  rules?: IndexRules;
}

/** A process with its own memory; what disturbs it happens between its reads and commits. */
interface Process {
  index: RunIndex;
  kv: HookedKv;
}

class Crash extends Error {}

/** Nobody is kept waiting: whoever sleeps makes time pass. */
class HastyClock implements Clock {
  #ms = 0;
  now(): Instant {
    return SIM_START + this.#ms * 1000;
  }
  monotonic(): number {
    return this.#ms;
  }
  sleep(ms: number): Promise<void> {
    this.pass(ms);
    return Promise.resolve();
  }
  pass(ms: number): void {
    this.#ms += ms;
  }
}

/** Tells what was answered wrong, or undefined, and how many questions were asked. */
export async function runIndexWorld(options: IndexWorldOptions): Promise<{ fault?: string; asked: number }> {
  const { kv, seed, rounds, questions, maxRows, rules } = options;
  const random = new SeededRandom(seed);
  const clock = new HastyClock();
  const complaints: string[] = [];
  const writer = new RunWriter(kv, random, buildIds(clock, random).uuid);
  const open = (): Process => {
    const hooked = new HookedKv(kv);
    const packer = { maxRows, ids: 60, entries: 4, keptEntries: 30 };
    const log = { ...silentLog, error: (message: string) => void complaints.push(message) };
    const index = new RunIndex({ ...fakeDeps({ kv: hooked, seed: seed + random.int(1e9) }), clock, log }, {
      packer,
      ...(rules ? { rules } : {}),
    });
    return { index, kv: hooked };
  };
  const processes = [open(), open(), open()];
  const pick = () => processes[random.int(processes.length)]!;
  // Whoever writes remembers what it wrote; the others do not know of it.
  const stop = listenToCommits(kv, (version, mutations) => pick().index.hints.note(version, mutations));
  let asked = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      clock.pass(20);
      for (let i = random.int(14); i > 0; i--) await writer.write();
      for (let i = random.int(6); i > 0; i--) await disturbed(pick(), "packs", { writer, random, pick });
      if (random.chance(0.03)) processes[random.int(processes.length)] = open();
      const rows = await allRows(kv);
      for (let i = 0; i < questions; i++) {
        const answer = await disturbed(pick(), "reads", { writer, random, pick, rows });
        asked++;
        const fault = answer ?? complaints[0];
        if (fault) return { fault: `seed ${seed}, round ${round}: ${fault}`, asked };
      }
    }
    return { asked };
  } finally {
    stop();
  }
}

interface Around {
  writer: RunWriter;
  random: SeededRandom;
  pick: () => Process;
  rows?: Awaited<ReturnType<typeof allRows>>;
}

/**
 * One step of a process while others do theirs. Nobody writes runs while it reads, so that there is one right answer;
 * packers and builds may do whatever they want.
 */
async function disturbed(
  process: Process,
  what: "packs" | "reads",
  around: Around,
): Promise<string | undefined> {
  const { writer, random, pick, rows = [] } = around;
  const isWriting = what === "packs";
  let isBusy = false;
  const disturb = async () => {
    if (isBusy || !random.chance(isWriting ? 0.2 : 0.01)) return;
    isBusy = true;
    const other = pick();
    if (isWriting && random.chance(0.6)) await writer.write();
    else if (other !== process) {
      await quietly(() => random.chance(0.1) ? other.index.build() : other.index.step(true));
    }
    isBusy = false;
  };
  process.kv.beforeRead = disturb;
  process.kv.onCommit = async ({ send }) => {
    await disturb();
    if (!isWriting) return await send();
    if (random.chance(0.03)) throw new Crash("before");
    const result = await send();
    if (random.chance(0.03)) throw new Crash("after");
    return result;
  };
  try {
    if (!isWriting) return await askOne(process.index, rows, random);
    if (random.chance(0.05)) await quietly(() => process.index.build());
    else if (random.chance(0.2)) await quietly(() => process.index.packer.trim());
    else await quietly(() => process.index.step(random.chance(0.7)));
  } finally {
    process.kv.beforeRead = () => Promise.resolve();
    process.kv.onCommit = ({ send }) => send();
  }
  return undefined;
}

async function quietly(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const cause = error instanceof DomainError ? error.cause : error;
    if (!(cause instanceof Crash)) throw error;
  }
}
