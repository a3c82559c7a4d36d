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

const METHODS_OF_READING = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what a page of another site sends from a visitor's browser. The body of a request is read as JSON whatever
 * its Content-Type, so a browser would send it without asking first, and what it starts would run on this machine.
 * Clients that are no browsers send neither header.
 */
export const refuseOtherSites: MiddlewareHandler = async (c, next) => {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  const isOwnPage = site === "same-origin" || origin?.replace(/^https?:\/\//, "") === c.req.header("host");
  const isFromPage = site !== undefined || origin !== undefined;
  if (!isFromPage || isOwnPage || METHODS_OF_READING.has(c.req.method)) return await next();
  return c.json({ detail: "Requests from pages of other sites are refused." }, 403);
};

/** Without the port; undefined when there is no header (HTTP/1.0, in-process requests). */
function hostOf(header: string | undefined): string | undefined {
  return header?.toLowerCase().replace(/:\d+$/, "");
}
