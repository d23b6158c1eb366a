import { memberOf } from "./json-member.ts";

const LONGEST_MESSAGE = 2000;

/**
 * What an upstream's error says, already redacted: `{error:{message}}`, `{error:"…"}`, `{message}` or `{detail}` as
 * various servers write it. It goes to the client alone, never into a log: it may repeat the prompt.
 */
export function upstreamMessage(body: Buffer): { inDialect: boolean; message: string | undefined } {
  const value = parse(body);
  const error = memberOf(value, "error");
  const inDialect = typeof error === "object" && error !== null;
  const texts = [memberOf(error, "message"), error, memberOf(value, "message"), memberOf(value, "detail")];
  const text = texts.find((candidate) => typeof candidate === "string" && candidate !== "");
  return { inDialect, message: typeof text === "string" ? text.slice(0, LONGEST_MESSAGE) : undefined };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
