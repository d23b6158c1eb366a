import * as z from "zod";
import { termTold } from "../join/shares.ts";
import { MOST_RECORDS, memberRecord } from "./member-record.ts";

/** No more models of a node are told to the others. */
export const MOST_MODELS = 2000;
const LONGEST_MODEL = 200;
const LONGEST_VERSION = 64;
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** What a node tells of itself. */
const presenceShape = z.object({
  version: z.string().min(1).max(LONGEST_VERSION),
  unlocked: z.boolean(),
  models_digest: digest.describe("SHA-256 of the names of its models, a line each, base64url."),
  models: z
    .array(z.string().max(LONGEST_MODEL))
    .max(MOST_MODELS)
    .optional()
    .describe("Where the other is not known to have them."),
  epoch: z.int().min(1),
  pin_generation: z.int().min(1),
});

/** One direction of a heartbeat: the question and the answer are alike. */
export const greetingShape = z
  .object({
    presence: presenceShape,
    list_digest: digest.describe("Of the records that the sender knows."),
    known_models_digest: digest.optional().describe("Of the other's models, where the sender knows them."),
    records: z
      .array(memberRecord)
      .max(MOST_RECORDS)
      .optional()
      .describe("All that the sender knows, where the other is not known to know the same."),
    joining: termTold.optional().describe("The term of joining that the sender knows."),
  })
  .meta({ id: "Greeting" });

export type Greeting = z.infer<typeof greetingShape>;
export type PresenceFacts = Greeting["presence"];
