/** Where the server is when nobody says otherwise. */
export const DEFAULT_API_URL = "http://127.0.0.1:4200/api";
/** The work pool of queues that are named without one. */
export const DEFAULT_POOL = "default-agent-pool";
