import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Query } from "#platform/storage/database.ts";
import type { ClusterState } from "../cluster.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import type { MemberRecord } from "../members/member-record.ts";
import type { Roster } from "../members/roster.ts";
import { loadOpaque } from "../opaque.ts";
import type { JoinBudget, PaidRun } from "./budget.ts";
import { sealGrant } from "./grant.ts";
import { type JoinKeys, joinerProof, joinKeys, memberProof } from "./key-schedule.ts";
import type { FinishAnswer, FinishBody, StartAnswer, StartBody } from "./messages.ts";
import { nearestFirst, parseNode } from "./nodes.ts";
import { JOIN_VERSION, transcriptHash } from "./transcript.ts";

export const JOIN_RUN_MS = 60_000;
const RUN_ID_BYTES = 16;

interface ResponderParts {
  readonly state: () => ClusterState;
  readonly budget: JoinBudget;
  /** SHA-256 of the public keys of this server's own certificates (SPKI, DER), base64url. */
  readonly tlsKeys: () => readonly string[];
  readonly roster: Pick<Roster, "ownId" | "records" | "admit" | "merge" | "refresh">;
  readonly clock: Clock;
  readonly random: Random;
}

/** A join that was answered once and waits for its last message. */
interface Run {
  readonly asked: StartBody;
  readonly answered: StartAnswer;
  readonly loginState: string;
  readonly credentials: ClusterCredentials;
  readonly startedMs: number;
}

type Server = Awaited<ReturnType<typeof loadOpaque>>["server"];

/** The member's side of a join: OPAQUE (RFC 9807), one run at a time. Every answered one is paid for first. */
export class JoinResponder {
  readonly #parts: ResponderParts;
  #run: Run | undefined;
  #paid: PaidRun | undefined;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** Throws AppError `cluster_closed` without a cluster, `joining_closed` where no run may begin or end now. */
  requireOpen(): void {
    this.#credentials();
    if (!this.#parts.budget.isOpen() && this.#live() === undefined) throw new AppError("joining_closed");
  }

  /**
   * Answers a joiner's first message. Throws what `requireOpen` throws; AppError `join_busy` while another run lasts,
   * `tls_intercepted` where the joiner saw another certificate than one of this server, `bad_request`.
   */
  async start(asked: StartBody): Promise<StartAnswer> {
    const { server } = await loadOpaque();
    // From here to the payment nothing waits: of many at once one begins.
    const credentials = this.#credentials();
    const { budget, clock, random, tlsKeys } = this.#parts;
    if (!budget.isOpen()) throw new AppError("joining_closed");
    this.#requireFree();
    if (!tlsKeys().includes(asked.tls_key)) throw new AppError("tls_intercepted");
    const { serverLoginState, loginResponse } = firstAnswer(server, credentials, asked.request);
    const answered = {
      version: JOIN_VERSION,
      run_id: random.bytes(RUN_ID_BYTES).toString("base64url"),
      cluster_id: credentials.clusterId,
      response: loginResponse,
    } as const;
    const run = { asked, answered, loginState: serverLoginState, credentials, startedMs: clock.now() };
    this.#run = run;
    this.#paid = undefined;
    try {
      const paid = await budget.spend();
      if (this.#run === run) this.#paid = paid;
      return answered;
    } catch (error) {
      if (this.#run === run) this.#run = undefined;
      throw error;
    }
  }

  /**
   * Ends a run: judges its last message and gives what the joiner came for, once that and `record` are written,
   * which is called with the joiner's id. Throws AppError `wrong_pin`, whatever of it was wrong, and `bad_request`,
   * `cluster_full`, `node_exists` for one that proved the PIN; the run stays paid.
   */
  async finish(
    asked: FinishBody,
    record: (query: Query, nodeId: string) => Promise<void>,
  ): Promise<FinishAnswer> {
    const { server } = await loadOpaque();
    const current = this.#credentials();
    const run = this.#live();
    const paid = this.#paid;
    if (run === undefined || paid === undefined || run.answered.run_id !== asked.run_id)
      throw new AppError("wrong_pin");
    // One last message a run, right or wrong.
    this.#run = undefined;
    this.#paid = undefined;
    const proven = current.opaque.record === run.credentials.opaque.record && prove(server, run, asked);
    if (!proven) throw new AppError("wrong_pin");
    const node = parseNode(asked.node, run.asked.node_key);
    const { roster, random } = this.#parts;
    await roster.refresh();
    const admitting = Promise.withResolvers<MemberRecord>();
    await paid.refund(async (query) => {
      const admitted = await roster.admit(query, node);
      await record(query, admitted.id);
      admitting.resolve(admitted);
    });
    const admitted = await admitting.promise;
    await roster.merge([admitted]);
    const members = nearestFirst(roster.records(), [admitted.id, roster.ownId]);
    const grant = sealGrant(proven.keys.grant, proven.transcript, { ...run.credentials, members }, random);
    const confirm = memberProof(proven.keys, { ...proven, grant });
    return { confirm: confirm.toString("base64url"), grant: grant.toString("base64url") };
  }

  /** Lets go of the run that lasts: the next may begin. */
  endRun(): void {
    this.#run = undefined;
    this.#paid = undefined;
  }

  #credentials(): ClusterCredentials {
    const state = this.#parts.state();
    if (state.status === "member") return state.credentials;
    const none = "This server is in no cluster yet.";
    throw new AppError("cluster_closed", state.status === "none" ? none : undefined);
  }

  #requireFree(): void {
    const live = this.#live();
    if (live === undefined) return;
    const leftMs = live.startedMs + JOIN_RUN_MS - this.#parts.clock.now();
    throw new AppError("join_busy", undefined, { retryAfterS: Math.ceil(leftMs / 1000) });
  }

  /** The run that may still end; one whose time is over is let go of. */
  #live(): Run | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    const sinceMs = this.#parts.clock.now() - run.startedMs;
    // A clock that was set back lengthens no run.
    if (sinceMs >= 0 && sinceMs < JOIN_RUN_MS) return run;
    this.#run = undefined;
    return undefined;
  }
}

function firstAnswer(server: Server, { clusterId, opaque }: ClusterCredentials, request: string) {
  try {
    return server.startLogin({
      serverSetup: opaque.serverSetup.expose(),
      registrationRecord: opaque.record,
      startLoginRequest: request,
      userIdentifier: clusterId,
    });
  } catch {
    throw new AppError("bad_request", "The request is no first message of OPAQUE.");
  }
}

/** What the last message proves; undefined where it proves nothing. */
function prove(
  server: Server,
  { asked: begun, answered, loginState }: Run,
  { finish, node, confirm }: FinishBody,
): { readonly keys: JoinKeys; readonly transcript: Buffer; readonly joinerProof: Buffer } | undefined {
  const sessionKey = sessionKeyOf(server, loginState, finish);
  if (sessionKey === undefined) return undefined;
  const transcript = transcriptHash({
    clusterId: answered.cluster_id,
    runId: answered.run_id,
    tlsKey: begun.tls_key,
    nodeKey: begun.node_key,
    request: begun.request,
    response: answered.response,
    finish,
    node,
  });
  const keys = joinKeys(sessionKey);
  const expected = joinerProof(keys, transcript);
  const isRight = constantTimeEqual(Buffer.from(confirm, "base64url"), expected);
  return isRight ? { keys, transcript, joinerProof: expected } : undefined;
}

function sessionKeyOf(server: Server, serverLoginState: string, finishLoginRequest: string) {
  try {
    return server.finishLogin({ serverLoginState, finishLoginRequest }).sessionKey;
  } catch {
    return undefined;
  }
}
