import * as z from "zod";
import { JOIN_VERSION } from "./transcript.ts";

/** No message of the exchange is half as long. */
const LONGEST_TEXT = 2048;
const LONGEST_ID = 64;
const LONGEST_NODE = 4096;
/** With it the answer stays below what a joiner reads. */
const LONGEST_GRANT = 60_000;
const textOf = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[A-Za-z0-9_-]*$/, "must be base64url");
const text = textOf(LONGEST_TEXT);
const version = z.literal(JOIN_VERSION);

/** The joiner's first message. */
export const startBody = z
  .strictObject({
    version,
    request: text.describe("The first message of OPAQUE."),
    tls_key: text.describe("SHA-256 of the public key (SPKI) in the certificate that the joiner saw."),
    node_key: text.describe("The joiner's own public key (SPKI, DER)."),
  })
  .meta({ id: "JoinStart" });

/** What a member answers; from here on the run counts as a wrong PIN. */
export const startAnswer = z.object({
  version,
  run_id: z.string().max(LONGEST_ID),
  cluster_id: z.string().max(LONGEST_ID),
  response: text,
});

/** The joiner's last message. */
export const finishBody = z
  .strictObject({
    run_id: z.string().max(LONGEST_ID),
    finish: text.describe("The last message of OPAQUE."),
    node: textOf(LONGEST_NODE).describe("What the joiner says of itself as a node: JSON."),
    confirm: text.describe("The joiner's proof over all that was said."),
  })
  .meta({ id: "JoinFinish" });

/** The member's proof, and what the joiner came for, sealed. */
export const finishAnswer = z.object({ confirm: text, grant: textOf(LONGEST_GRANT) });

export type StartBody = z.infer<typeof startBody>;
export type StartAnswer = z.infer<typeof startAnswer>;
export type FinishBody = z.infer<typeof finishBody>;
export type FinishAnswer = z.infer<typeof finishAnswer>;
