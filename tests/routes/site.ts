/** A server with a flow and a pool, and short ways to ask it about deployments. */
import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

export const NOBODY = "00000000-0000-0000-0000-000000000000";

export type Json = Record<string, unknown>;
export interface Schedule extends Json {
  id: string;
  slug: string | null;
  active: boolean;
  schedule: Json;
}
export interface Deployment extends Json {
  id: string;
  schedules: Schedule[];
}

export class Site implements AsyncDisposable {
  readonly app: StartedApp;
  readonly flow: string;
  private constructor(app: StartedApp, flow: string) {
    this.app = app;
    this.flow = flow;
  }

  static async open(options: Parameters<typeof StartedApp.start>[0] = {}): Promise<Site> {
    const app = await StartedApp.start(options);
    await app.api.workPools.create({ name: "pool", type: "process" });
    return new Site(app, (await app.api.flows.create({ name: "flow" })).id);
  }

  /** Sends, asserts the status, and gives the body. */
  async send<T = Json>(
    method: string,
    path: string,
    status: number,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await this.app.request(method, path, body, headers);
    assertEquals(answer.status, status, `${method} ${path}: ${answer.text.slice(0, 500)}`);
    return answer.body as T;
  }

  async deploy(body: Json = {}, status = 201, headers: Record<string, string> = {}): Promise<Deployment> {
    const given = { name: "d", flow_id: this.flow, work_pool_name: "pool", ...body };
    return await this.send("POST", "/deployments/", status, given, headers);
  }

  get(id: string): Promise<Deployment> {
    return this.send("GET", `/deployments/${id}`, 200);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
  }
}

export const detailOf = (body: Json) => body["detail"];
export const messagesOf = (body: Json) => (body["exception_detail"] as Json[]).map(({ msg }) => msg);
