import type { MiddlewareHandler } from "hono";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Refuses requests addressed to a name that is not this server's: a page of somebody else's could otherwise point its
 * own name at this machine and talk to the server from a visitor's browser (DNS rebinding).
 */
export function allowHosts(allowed: readonly string[]): MiddlewareHandler {
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  return async (c, next) => {
    const host = hostOf(c.req.header("host"));
    if (names.has("*") || host === undefined || LOOPBACK.has(host) || names.has(host)) return await next();
    return c.json({
      detail: `This server does not answer to '${host}'. Start it with --allowed-host ${host} if it should.`,
    }, 421);
  };
}

/** Without the port; undefined when there is no header (HTTP/1.0, in-process requests). */
function hostOf(header: string | undefined): string | undefined {
  return header?.toLowerCase().replace(/:\d+$/, "");
}
