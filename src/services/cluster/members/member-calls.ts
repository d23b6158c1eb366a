import type { CollectedAnswer } from "#platform/egress/egress-client.ts";
import type { PeerConnection, PeerDialler } from "#platform/egress/peer-dialler.ts";
import { NODE_PROOF } from "#platform/http/api-error.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ClusterState } from "../cluster.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import type { MemberRecord } from "./member-record.ts";
import { callerCredential, judgeProofs, type NodeCall, parseCalleeProof } from "./node-credential.ts";

/** What a member answered. */
export interface MemberAnswer {
  readonly status: number;
  /** Undefined for an empty body, and where it was not the node that answered. */
  readonly json: unknown;
  /** It proved its node key and this server's PIN. */
  readonly hasPin: boolean;
}

/** The way to the other members. */
export interface MemberCalls {
  /**
   * POSTs JSON to a member, by its URLs in turn until one shows a key that its record pins. Throws AppError
   * `upstream_unreachable` where none does within the deadline (10 s unless given), `upstream_failed` where what comes is
   * too large, no JSON, or a success that somebody else claims, `cluster_closed` without a cluster here. Whoever refuses
   * need not be the node.
   */
  call(
    member: MemberRecord,
    path: `/cluster/${string}`,
    body: unknown,
    options?: { readonly deadlineMs?: number },
  ): Promise<MemberAnswer>;
}

interface MemberCallParts {
  readonly ownId: string;
  readonly state: () => ClusterState;
  readonly dialler: PeerDialler;
}

const DEADLINE_MS = 10_000;
/** Why a node is not reached that shows another key than the one its record pins; as the log has it. */
export const KEY_CHANGED = "node_key_changed";
const ANSWER_LIMIT_BYTES = 512 * 1024;

/** Calls over connections of their own, each bound into what both ends prove. */
export function createMemberCalls(parts: MemberCallParts): MemberCalls {
  /** Where a member was reached the last time: tried first. */
  const reached = new Map<string, string>();
  return {
    call: async (member, path, body, { deadlineMs = DEADLINE_MS } = {}) => {
      const state = parts.state();
      if (state.status !== "member") throw new AppError("cluster_closed");
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(unreachable("timeout")), deadlineMs);
      try {
        const urls = inTurn(member.urls, reached.get(member.id));
        await using dialled = await dial(parts.dialler, member, urls, { deadlineMs, signal: late.signal });
        reached.set(member.id, dialled.url);
        return await ask(dialled.connection, state.credentials, { member, path, body, ownId: parts.ownId });
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function inTurn(urls: readonly string[], first: string | undefined): readonly string[] {
  return first !== undefined && urls.includes(first) ? [first, ...urls.filter((url) => url !== first)] : urls;
}

interface Dialled extends AsyncDisposable {
  readonly url: string;
  readonly connection: PeerConnection;
}

/** Each URL has its part of the time that is left, so that one which leads nowhere does not hide the next. */
async function dial(
  dialler: PeerDialler,
  member: MemberRecord,
  urls: readonly string[],
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<Dialled> {
  const endMs = performance.now() + deadlineMs;
  let last = unreachable("no url");
  for (const [index, url] of urls.entries()) {
    const partMs = (endMs - performance.now()) / (urls.length - index);
    try {
      const connection = await dialWithin(dialler, url, signal, partMs);
      if (member.tls_keys.includes(connection.publicKey))
        return { url, connection, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
      await connection[Symbol.asyncDispose]();
      last = unreachable(KEY_CHANGED);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A changed key is what has to be told, whatever the other URLs come to.
      if (last.detail !== KEY_CHANGED) last = unreachable(error.detail ?? error.code);
      if (signal.aborted) break;
    }
  }
  throw last;
}

async function dialWithin(
  dialler: PeerDialler,
  url: string,
  signal: AbortSignal,
  mostMs: number,
): Promise<PeerConnection> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(unreachable("timeout")), mostMs);
  try {
    return await dialler.connect(new URL(url), AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

async function ask(
  connection: PeerConnection,
  credentials: ClusterCredentials,
  asked: {
    readonly ownId: string;
    readonly member: MemberRecord;
    readonly path: string;
    readonly body: unknown;
  },
): Promise<MemberAnswer> {
  const { ownId, member, path, body } = asked;
  const call: NodeCall = { callerId: ownId, calleeId: member.id, binding: connection.binding };
  const answered = await connection.post(path, body, {
    headers: ["authorization", callerCredential(credentials, call)],
    answerLimitBytes: ANSWER_LIMIT_BYTES,
  });
  const proofs = parseCalleeProof(headerOf(answered, NODE_PROOF));
  const said = { ...call, use: "answer" } as const;
  const { isNode, hasPin } = judgeProofs(credentials, said, { nodeKey: member.node_key, proofs });
  const { status } = answered;
  if (isNode) return { status, json: jsonOf(answered.body), hasPin };
  if (status >= 400) return { status, json: undefined, hasPin };
  throw new AppError(
    "upstream_failed",
    "The server there did not prove to be the node that it was taken for.",
  );
}

function headerOf({ headers }: CollectedAnswer, name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new AppError("upstream_failed", "The node's answer is no JSON.");
  }
}

function unreachable(detail: string): AppError {
  return new AppError("upstream_unreachable", "The node could not be reached.", { detail });
}
