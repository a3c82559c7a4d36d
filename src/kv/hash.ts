import { createHash } from "node:crypto";

/**
 * SHA-256 in hex: user strings of any length as a key part. Node's function since it answers at once; the web's
 * settles on another thread, and a simulated world that waits for it cannot be replayed.
 */
export const hashKey = (text: string): string => createHash("sha256").update(text).digest("hex");
