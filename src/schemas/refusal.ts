/** What a refused request is answered: `routes/errors.ts` and `routes/validation_error.ts` make it. */
import { z } from "zod";

/** A refusal in one sentence. */
export const Refusal = z.object({ detail: z.string() }).meta({ id: "Refusal" });

/** Refused before any service was asked: what is wrong, place by place. */
export const HTTPValidationError = z.object({
  exception_message: z.string(),
  exception_detail: z.array(
    z.object({
      type: z.string(),
      loc: z.array(z.union([z.string(), z.int()])),
      msg: z.string(),
      input: z.unknown(),
      ctx: z.record(z.string(), z.unknown()).optional(),
    }).meta({ id: "ValidationError" }),
  ),
  request_body: z.unknown(),
}).meta({ id: "HTTPValidationError" });

/** A fault of the server, or an object that a state change names and that is not there. */
export const Exception = z.object({
  exception_message: z.string(),
  detail: z.string().optional(),
}).meta({ id: "Exception" });
