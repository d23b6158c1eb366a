import * as z from "zod";
import { termTold } from "./shares.ts";

/** Where a member asks another. */
export const TRIES_PATH = "/cluster/budget";

/** What a member asks another: whether it is there, and where `wants` is set for one of its tries. */
export const triesAsked = z.strictObject({ term: termTold, wants: z.boolean() });
export type TriesAsked = Readonly<z.infer<typeof triesAsked>>;

/** The answer; a try that was given is no more the giver's, whether the answer arrives or not. */
export const triesGiven = z.strictObject({ term: termTold, given: z.boolean() });
export type TriesGiven = Readonly<z.infer<typeof triesGiven>>;

/** The members, as the count of tries sees them. */
export interface JoinMembers {
  /** This node's id. */
  readonly ownId: string;
  /** The cluster that this server is in; undefined in none. */
  clusterId(): string | undefined;
  /** The ids of all others that did not leave. */
  others(): readonly string[];
  /** Those of them that are up. */
  up(): readonly string[];
  /** Undefined where it is not reached, or does not prove that it is a member. */
  ask(id: string, asked: TriesAsked): Promise<TriesGiven | undefined>;
}
