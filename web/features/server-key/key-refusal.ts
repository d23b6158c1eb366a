import { isProblem } from "#lib/api-problem.ts";
import { tellProblem } from "#lib/tell.tsx";

/** What the server found wrong with a key that was typed: at the field of the present one, or at that of the new one. */
export interface KeyRefusal {
  readonly at: "current" | "next";
  readonly text: string;
}

/** The refusal that belongs to a field; null for any other, which is to be shown whole. */
export function keyRefusal(error: unknown): KeyRefusal | null {
  if (isProblem(error, "wrong_key")) return { at: "current", text: error.message };
  if (isProblem(error, "key_too_short", "key_too_long", "bad_request"))
    return { at: "next", text: error.message };
  return null;
}

/** Says so where it is read whatever stands around it. */
export function tellWrongKey(error: unknown): void {
  if (isProblem(error, "wrong_key")) tellProblem(new Error("Wrong key"));
}
