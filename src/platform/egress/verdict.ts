import { AppError } from "#platform/lib/error.ts";

/** Which rule a denied URL or address fell under. */
export type DenialRule =
  | "malformed"
  | "scheme"
  | "user-info"
  | "metadata"
  | "link-local"
  | "unspecified"
  | "multicast"
  | "reserved"
  | "own-listener";

/** Whether this server may connect there; `reason` is public text and names no address that a name resolved to. */
export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: DenialRule; readonly reason: string };

export type Denial = Extract<Verdict, { allowed: false }>;

export const ALLOWED: Verdict = { allowed: true };

/** A denial with the reason as a sentence for the caller. */
export function denied(rule: DenialRule, reason: string): Denial {
  return { allowed: false, rule, reason };
}

/** The denial as the error of a call: 502 `egress_denied`. */
export function denialError(denial: Denial): AppError {
  return new AppError("egress_denied", denial.reason, { detail: `rule: ${denial.rule}` });
}
