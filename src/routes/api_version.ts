import type { MiddlewareHandler } from "hono";

const LOWEST = "0.8.0";
/** Asked by monitors rather than by clients. */
const UNVERSIONED = /^(\/t\/[^/]+)?\/api\/(health|ready|version)\/?$/;

/** Clients say which version of the wire they speak; one that is too old is told so. */
export const requireApiVersion: MiddlewareHandler = async (c, next) => {
  const version = c.req.header("x-prefect-api-version");
  if (version === undefined || UNVERSIONED.test(c.req.path)) return await next();
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    return c.json({
      detail:
        `Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received ${version}`,
    }, 400);
  }
  if (isOlder(version, LOWEST)) {
    return c.json({
      detail:
        `The request specified API version ${version} but this server requires version ${LOWEST} or higher.`,
    }, 400);
  }
  return await next();
};

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}
