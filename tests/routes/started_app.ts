/** The whole server in this process, without a socket. */
import type { Hono } from "hono";
import { Api } from "../../src/client/api.ts";
import { allEndpoints, buildApp } from "../../src/routes/app.ts";
import type { Endpoint } from "../../src/routes/endpoint.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import type { ServerDeps } from "../../src/runtime/deps.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { type Random, systemRandom } from "../../src/runtime/random.ts";
import type { RunIndexOptions } from "../../src/services/run_index/run_index.ts";
import { buildServices } from "../../src/services/services.ts";

export interface Answered {
  status: number;
  /** The parsed body; undefined when there is none, or no JSON. */
  body: unknown;
  text: string;
  headers: Headers;
}

export class StartedApp implements AsyncDisposable {
  readonly api: Api;
  readonly endpoints: readonly Endpoint[];
  readonly #app: Hono;
  readonly kv: Deno.Kv;
  readonly #shutdown: AbortController;

  private constructor(
    app: Hono,
    parts: { endpoints: readonly Endpoint[]; kv: Deno.Kv; shutdown: AbortController },
  ) {
    this.#app = app;
    this.endpoints = parts.endpoints;
    this.kv = parts.kv;
    this.#shutdown = parts.shutdown;
    this.api = new Api({ url: "/api", fetch: async (url, init) => await app.request(url, init) });
  }

  static async start(
    { clock = systemClock, random = systemRandom, index = {}, ...options }: {
      clock?: Clock;
      random?: Random;
      maxBodyBytes?: number;
      allowedHosts?: string[];
      index?: RunIndexOptions;
    } = {},
  ): Promise<StartedApp> {
    const kv = await Deno.openKv(":memory:");
    const shutdown = new AbortController();
    const deps: ServerDeps = {
      kv,
      sharedKv: false,
      clock,
      random,
      ids: buildIds(clock, random),
      log: silentLog,
      shutdown: shutdown.signal,
    };
    const services = buildServices(deps, { index });
    const settings = { maxBodyBytes: 1_000_000, heartbeatSeconds: 5, allowedHosts: [], ...options };
    const endpoints = allEndpoints(deps, services, settings);
    return new StartedApp(buildApp(deps, services, settings), { endpoints, kv, shutdown });
  }

  /** `body`: text is sent as it is, anything else as JSON. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    // Bytes, so that no Content-Type is made up.
    const init = { method, headers, ...(text === undefined ? {} : { body: new TextEncoder().encode(text) }) };
    const response = await this.#app.request(/^\/(t|docs)(\/|$)/.test(path) ? path : `/api${path}`, init);
    const answer = await response.text();
    return {
      status: response.status,
      body: isJson(response) && answer !== "" ? JSON.parse(answer) : undefined,
      text: answer,
      headers: response.headers,
    };
  }

  /** The app's own answer to a request that is made by hand. */
  async fetch(request: Request): Promise<Response> {
    return await this.#app.fetch(request);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    this.kv.close();
    return Promise.resolve();
  }
}

const isJson = ({ headers }: Response): boolean => headers.get("content-type") === "application/json";
