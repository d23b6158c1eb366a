import * as z from "zod";
import { CLAUDE } from "#test/upstream-anthropic.ts";
import { type Bench, startBench } from "./bench.ts";

/** Where messages are sent. */
export const PATH = "/v1/messages";
/** A server in front of a simulated Anthropic upstream. */
export const bench = () => startBench({}, "anthropic");
/** The body of a message request. */
export const message = (more: object = {}) => ({
  model: `sim/${CLAUDE}`,
  max_tokens: 64,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});
/** Sends a body, to `PATH` and with the key as `x-api-key` unless said. */
export const post = (
  { claviger, key }: Pick<Bench, "claviger" | "key">,
  body: unknown,
  more: { path?: string; headers?: Record<string, string> } = {},
) => claviger.call({ method: "POST", path: PATH, headers: { "x-api-key": key }, body, ...more });
/** An error in Anthropic's shape. */
export const shaped = z.object({
  type: z.literal("error"),
  error: z.object({
    type: z.string(),
    message: z.string().min(1),
    details: z.object({ error_code: z.string() }).optional(),
  }),
  request_id: z.string(),
});
