import * as z from "zod";
import { AppError, type ErrorCode } from "#platform/lib/error.ts";

/** What a member's refusal is for whoever asked this server to join; of its words none is passed on. */
const KNOWN: Readonly<Record<string, { readonly code: ErrorCode; readonly words?: string }>> = {
  wrong_pin: { code: "wrong_pin" },
  joining_closed: { code: "joining_closed" },
  join_busy: { code: "join_busy" },
  join_version: { code: "join_version" },
  tls_intercepted: { code: "tls_intercepted" },
  rate_limited: { code: "rate_limited" },
  cluster_full: { code: "cluster_full" },
  node_exists: { code: "node_exists" },
  cluster_closed: {
    code: "upstream_failed",
    words: "The server there is in no cluster, or its credential files are not as they must be.",
  },
  server_locked: { code: "upstream_failed", words: "The server there is locked." },
  not_found: {
    code: "upstream_failed",
    words: "Nobody can join at this address: its listener's auth does not list cluster.",
  },
  wrong_host: { code: "upstream_failed", words: "The server there does not answer for that host name." },
};

const problem = z.object({ code: z.string() });

/** The AppError for a refusal of this status and body. */
export function refusalOf(status: number, body: unknown): AppError {
  const parsed = problem.safeParse(body);
  const known =
    parsed.success && Object.hasOwn(KNOWN, parsed.data.code) ? KNOWN[parsed.data.code] : undefined;
  if (known !== undefined) return new AppError(known.code, known.words);
  return new AppError(
    "upstream_failed",
    `The server there answered ${status}; it does not seem to be a member.`,
  );
}
