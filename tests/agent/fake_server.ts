/**
 * A server of a few endpoints in memory, as far as agents speak to it: grants, tokens and states by the rules of
 * docs/gate.md, but no limits and no storage. Tests look at what was asked, and can put faults in front.
 */
import type { StateType } from "../../src/schemas/records.ts";
import {
  type FakeRun,
  type Json,
  now,
  poolJson,
  queueJson,
  runJson,
  stateJson,
  variableJson,
} from "./fake_answers.ts";

export interface Call {
  method: string;
  path: string;
  body: Json;
  token: string | null;
  at: number;
}

const refuse = (status: number, detail: string) => Response.json({ detail }, { status });
const TERMINAL = new Set<StateType>(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]);

export class FakeServer implements AsyncDisposable {
  readonly pools = new Map<string, { template: Json; queues: Set<string> }>();
  readonly deployments = new Map<string, Json>();
  readonly runs: FakeRun[] = [];
  readonly calls: Call[] = [];
  readonly logs: { message: string; timestamp: string; flow_run_id: string; level: number; name: string }[] =
    [];
  readonly agents = new Map<string, Json>();
  variables: Json = {};
  /** Ids of agents that said goodbye. */
  readonly left: string[] = [];
  readonly ended = new Set<string>();
  readonly unknownAgents = new Set<string>();
  heartbeatSeconds = 0.3;
  /** A real server notices that whoever waited has hung up; this one has to be told. */
  isGranting = true;
  /** Answers instead of the server when it returns something. */
  fault: (call: Call) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly #claims = new Map<string, FakeRun[]>();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #changed = Promise.withResolvers<void>();
  #port = 0;

  constructor() {
    this.addPool("my-pool", ["default"]);
  }

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api`;
  }

  /** Listens; on the port of before when it listened already. */
  listen(): this {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: this.#port, onListen: () => {} },
      (request) => this.#handle(request),
    );
    this.#port = this.#server.addr.port;
    return this;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.change();
    await server?.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  addPool(name: string, queues: string[], template: Json = {}): void {
    this.pools.set(name, { template, queues: new Set(queues) });
  }

  /** A run of `command`, due now unless said otherwise. */
  addRun(command: string, options: Partial<FakeRun> & { job?: Json } = {}): FakeRun {
    const { job, ...rest } = options;
    const run: FakeRun = {
      id: crypto.randomUUID(),
      name: `run-${this.runs.length}`,
      pool: "my-pool",
      queue: "default",
      parameters: {},
      jobVariables: { command, ...job },
      deployment: null,
      retries: 0,
      type: "SCHEDULED",
      stateName: "Scheduled",
      message: null,
      transition: null,
      stateTime: Date.now() * 1000,
      due: Date.now() * 1000,
      token: null,
      session: null,
      attempt: 0,
      history: [],
      ...rest,
    };
    this.runs.push(run);
    this.change();
    return run;
  }

  /** Wakes every long poll. */
  change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** Resolves when `condition` holds; looked at whenever something changes. */
  async until(condition: () => boolean, what: string, seconds = 8): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await this.#sleep(Math.min(20, deadline - Date.now()));
    }
  }

  callsTo(pattern: RegExp): Call[] {
    return this.calls.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  write(
    run: FakeRun,
    type: StateType,
    state: { name?: string; message?: string; transition?: string } = {},
  ): void {
    run.type = type;
    run.stateName = state.name ?? type[0] + type.slice(1).toLowerCase();
    run.message = state.message ?? null;
    run.transition = state.transition ?? null;
    run.stateTime = Math.max(run.stateTime + 1, Date.now() * 1000);
    run.history.push({ type, name: run.stateName, message: run.message, at: Date.now() });
    this.change();
  }

  async #handle(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const text = await request.text().catch(() => undefined);
    if (text === undefined) return refuse(400, "The client has hung up"); // a heartbeat that another one replaces
    const call: Call = {
      method: request.method,
      path,
      body: text === "" ? {} : JSON.parse(text),
      token: request.headers.get("sluice-claim-token"),
      at: Date.now(),
    };
    this.calls.push(call);
    return await this.fault(call) ?? await this.#route(call);
  }

  async #route(call: Call): Promise<Response> {
    const route = `${call.method} ${call.path}`;
    const match = (pattern: RegExp) => pattern.exec(route)?.slice(1).map(decodeURIComponent);
    let found: string[] | undefined;
    if ((found = match(/^POST \/api\/agents$/))) return this.#register(call.body);
    if ((found = match(/^DELETE \/api\/agents\/([^/]+)$/))) {
      this.left.push(found[0]!);
      return new Response(null, { status: 204 });
    }
    if ((found = match(/^POST \/api\/agents\/([^/]+)\/heartbeat$/))) {
      return await this.#heartbeat(found[0]!, call.body);
    }
    if ((found = match(/^POST \/api\/work_pools\/([^/]+)\/claim$/))) {
      return await this.#claim(found[0]!, call.body);
    }
    if ((found = match(/^POST \/api\/flow_runs\/([^/]+)\/set_state$/))) {
      return this.#setState(found[0]!, call);
    }
    if ((found = match(/^GET \/api\/variables\/name\/([^/]+)$/))) {
      return found[0]! in this.variables
        ? Response.json(variableJson(found[0]!, this.variables[found[0]!]))
        : refuse(404, "Variable not found.");
    }
    if (match(/^POST \/api\/logs\/$/)) {
      this.logs.push(...call.body as unknown as typeof this.logs);
      return new Response(null, { status: 201 });
    }
    return this.#poolRoute(call, match);
  }

  #poolRoute(call: Call, match: (pattern: RegExp) => string[] | undefined): Response {
    let found: string[] | undefined;
    if (match(/^POST \/api\/work_pools\/filter$/)) return Response.json([...this.pools.keys()].map(poolJson));
    if (match(/^POST \/api\/work_pools\/$/)) {
      this.addPool(String(call.body.name), ["default"]);
      return Response.json(poolJson(String(call.body.name)), { status: 201 });
    }
    if ((found = match(/^GET \/api\/work_pools\/([^/]+)$/))) {
      return this.pools.has(found[0]!)
        ? Response.json(poolJson(found[0]!))
        : refuse(404, "Work pool not found");
    }
    const queues = (name: string) => this.pools.get(name)?.queues ?? new Set<string>();
    if ((found = match(/^POST \/api\/work_pools\/([^/]+)\/queues\/filter$/))) {
      return Response.json([...queues(found[0]!)].map(queueJson));
    }
    if ((found = match(/^POST \/api\/work_pools\/([^/]+)\/queues$/))) {
      queues(found[0]!).add(String(call.body.name));
      return Response.json(queueJson(String(call.body.name)), { status: 201 });
    }
    if ((found = match(/^GET \/api\/work_pools\/([^/]+)\/queues\/([^/]+)$/))) {
      return queues(found[0]!).has(found[1]!)
        ? Response.json(queueJson(found[1]!))
        : refuse(404, "Not found");
    }
    return refuse(404, "Not Found");
  }

  #register(body: Json): Response {
    const id = crypto.randomUUID();
    this.agents.set(id, body);
    const sessions = (body.pools as string[]).map((pool) => ({
      id: crypto.randomUUID(),
      work_pool_id: crypto.randomUUID(),
      work_pool_name: pool,
    }));
    const answer = {
      id,
      name: body.name,
      sessions,
      heartbeat_seconds: this.heartbeatSeconds,
      server_time: now(),
    };
    return Response.json(answer, { status: 201 });
  }

  async #heartbeat(agent: string, body: Json): Promise<Response> {
    const sessions = body.sessions as string[];
    const listed = body.runs as { id: string; token: string }[];
    const actions = () =>
      listed.map(({ id, token }) => {
        const run = this.runs.find((candidate) => candidate.id === id);
        const action = run?.token !== token ? "stop" : run.type === "CANCELLING" ? "cancel" : "keep";
        return { id, action, state_type: run?.type ?? null, listed: true };
      });
    if (this.unknownAgents.has(agent)) return refuse(404, "Agent not found");
    const hasNews = () =>
      actions().some(({ action }) => action !== "keep") || sessions.some((id) => this.ended.has(id));
    await this.#waitFor(hasNews, Number(body.wait));
    return Response.json({
      sessions: sessions.map((id) => ({ id, state: this.ended.has(id) ? "ended" : "live" })),
      runs: actions(),
      server_time: now(),
    });
  }

  async #claim(pool: string, body: Json): Promise<Response> {
    const { claim_id, session, n, prefetch, wait } = body as {
      claim_id: string;
      session: string;
      n: number;
      prefetch: number;
      wait: number;
    };
    if (this.ended.has(session)) return refuse(409, "This session has ended");
    const queues = body.queues as string[];
    const due = () =>
      this.runs.filter((run) =>
        this.isGranting && run.pool === pool && run.type === "SCHEDULED" && run.token === null &&
        (queues.length === 0 || queues.includes(run.queue)) && run.due <= Date.now() * 1000 + prefetch * 1e6
      ).slice(0, n);
    let granted = this.#claims.get(claim_id);
    if (granted === undefined) {
      await this.#waitFor(() => due().length > 0, wait);
      granted = due();
      this.#claims.set(claim_id, granted);
      for (const run of granted) {
        run.attempt++;
        run.token = `${run.attempt}-${crypto.randomUUID()}`;
        run.session = session;
        this.write(run, "PENDING");
      }
    }
    return Response.json(this.#claimAnswer(pool, granted));
  }

  #claimAnswer(pool: string, granted: FakeRun[]): Json {
    return {
      grants: granted.map((run) => ({
        token: run.token,
        attempt: run.attempt,
        flow_run: runJson(run),
        flow_name: "etl",
      })),
      deployments: Object.fromEntries(this.deployments),
      base_job_template: this.pools.get(pool)?.template ?? {},
      server_time: now(),
    };
  }

  #setState(id: string, call: Call): Response {
    const run = this.runs.find((candidate) => candidate.id === id);
    if (run === undefined) return refuse(404, "Flow run not found");
    const state = call.body.state as {
      type: StateType;
      name?: string;
      message?: string;
      state_details?: Json;
    };
    if (call.token !== run.token) return refuse(409, "This claim token is not current");
    const transition = String(state.state_details?.transition_id ?? "");
    const answer = (status: string, details: Json = {}) =>
      Response.json({
        status,
        state: stateJson(run),
        details: { type: `${status.toLowerCase()}_details`, ...details },
      });
    if (transition !== "" && transition === run.transition) return answer("REJECT");
    if (TERMINAL.has(run.type)) return answer(run.type === state.type ? "ACCEPT" : "REJECT");
    if (run.type === "CANCELLING" && !TERMINAL.has(state.type)) return answer("REJECT");
    if (state.type === "RUNNING" && run.due > Date.now() * 1000) {
      return answer("WAIT", { delay_seconds: Math.floor((run.due - Date.now() * 1000) / 1e6) });
    }
    if (state.type === "FAILED" && run.type === "RUNNING" && run.retries > 0) {
      run.retries--;
      this.write(run, "SCHEDULED", { name: "AwaitingRetry" });
      run.due = run.stateTime;
      return answer("REJECT");
    }
    const type = run.type === "CANCELLING" ? "CANCELLED" : state.type;
    this.write(run, type, {
      ...(state.name ? { name: state.name } : {}),
      ...(state.message ? { message: state.message } : {}),
      transition,
    });
    if (type === "SCHEDULED") run.token = null;
    return answer("ACCEPT");
  }

  async #waitFor(condition: () => boolean, seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    const isUp = this.#server;
    while (!condition() && Date.now() < deadline && this.#server === isUp) {
      await this.#sleep(Math.min(50, deadline - Date.now()));
    }
  }

  async #sleep(ms: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, ms);
    await Promise.race([timer.promise, this.#changed.promise]);
    clearTimeout(id);
  }
}
