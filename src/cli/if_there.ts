import { ApiError } from "../client/http.ts";

/** The answer about an object; undefined when the server has no such object, perhaps not any more. */
export async function ifThere<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && !error.isNoRoute) return undefined;
    throw error;
  }
}
