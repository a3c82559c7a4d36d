import { Hono } from "hono";
import type { OpenApi } from "../schemas/openapi.ts";
import { apiDocsPage } from "../ui/api_docs.ts";
import { API_DOCS_STYLE, API_DOCS_STYLE_PATH } from "../ui/api_docs_style.ts";

/** Own files only, no script or style within the page, no other site's frame around it. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** `GET /docs`: the API to read, with examples that name the address under which the reader came. */
export function docsApp(describe: () => OpenApi): Hono {
  let document: OpenApi | undefined;
  const app = new Hono();
  app.get("/docs", (c) => {
    document ??= describe();
    return c.html(apiDocsPage(document, URL.parse(c.req.url)?.origin ?? ""), 200, HEADERS);
  });
  app.get(
    API_DOCS_STYLE_PATH,
    (c) => c.body(API_DOCS_STYLE, 200, { ...HEADERS, "content-type": "text/css; charset=utf-8" }),
  );
  return app;
}
