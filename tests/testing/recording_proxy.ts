/** A proxy before a server that remembers what clients asked and how they were answered. */

/** One request and its answer. */
export interface Exchange {
  method: string;
  /** With the query, ids replaced by `:id`. */
  path: string;
  /** 404 and 426 are what a refused WebSocket gets. */
  status: number;
  isWebSocket: boolean;
  request: string;
  answer: string;
}

export interface RecordingProxy extends AsyncDisposable {
  /** Where clients find the API; ends in `/api`. */
  url: string;
  exchanges: Exchange[];
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** What belongs to one connection; the answer comes unpacked from `fetch`. */
const OF_A_CONNECTION = [
  "connection",
  "content-encoding",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
];

/** @param target address of the API, ending in `/api` */
export function recordingProxy(target: string): RecordingProxy {
  const exchanges: Exchange[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    const response = await fetch(target.replace(/\/api$/, "") + pathname + search, {
      method: request.method,
      headers: without(request.headers),
      redirect: "manual",
      ...(body === "" ? {} : { body }),
    });
    const answer = await response.text();
    exchanges.push({
      method: request.method,
      path: `${pathname}${search}`.replace(/^\/api/, "").replace(ID, ":id"),
      status: response.status,
      isWebSocket: request.headers.has("upgrade"),
      request: body,
      answer,
    });
    return new Response(response.status === 204 ? null : answer, {
      status: response.status,
      headers: without(response.headers),
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/api`,
    exchanges,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function without(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of OF_A_CONNECTION) kept.delete(name);
  return kept;
}
