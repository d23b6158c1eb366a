import type * as z from "zod";
import type { PeerConnection, PeerDialler } from "#platform/egress/peer-dialler.ts";
import { AppError } from "#platform/lib/error.ts";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import type { MemberRecord } from "../members/member-record.ts";
import { joinedCredentials, newNodeKey, publicNodeKey } from "../new-credentials.ts";
import { loadOpaque, PIN_STRETCHING } from "../opaque.ts";
import { openGrant } from "./grant.ts";
import { joinerProof, joinKeys, memberProof } from "./key-schedule.ts";
import { type FinishBody, finishAnswer, type StartAnswer, startAnswer } from "./messages.ts";
import { refusalOf } from "./refusal.ts";
import { JOIN_VERSION, transcriptHash } from "./transcript.ts";

interface JoinerParts {
  /** Where the member is: https, without a path. */
  readonly url: URL;
  readonly pin: Secret;
  readonly dialler: PeerDialler;
  /** What is left of the files of a cluster: it is joined again, with its key, and no other cluster is. */
  readonly kept: {
    readonly clusterId?: string | undefined;
    readonly nodeKey?: Secret | undefined;
  };
  /** What this server says of itself as a node, with this public key. */
  readonly recordOf: (nodeKey: string) => MemberRecord;
}

/** What a join brings: the files of a member, and the nodes of the cluster, this server among them. */
interface Joined {
  readonly credentials: ClusterCredentials;
  readonly members: readonly MemberRecord[];
}

/**
 * The joiner's side of a join: OPAQUE (RFC 9807) with the PIN, then both proofs, then the grant. The member's certificate
 * is not judged by any authority: what it proved to be is part of what is confirmed. Throws AppError `wrong_pin`,
 * `tls_intercepted`, `cluster_exists` for another cluster than the one kept, what the member refused with, `upstream_failed` where its words make no sense, and as egress does.
 */
export async function askToJoin(parts: JoinerParts): Promise<Joined> {
  const { url, pin, dialler, kept } = parts;
  const { client } = await loadOpaque();
  const nodeKey = kept.nodeKey ?? newNodeKey();
  const record = parts.recordOf(publicNodeKey(nodeKey));
  const password = pin.expose();
  const { clientLoginState, startLoginRequest: request } = client.startLogin({ password });
  const begun = await begin(dialler, url, { request, nodeKey: publicNodeKey(nodeKey) });
  const { cluster_id: clusterId, response: loginResponse } = begun.answered;
  const isOther = kept.clusterId !== undefined && kept.clusterId !== clusterId;
  const login = isOther ? undefined : lastMessage(client, { clientLoginState, password, loginResponse });
  if (login === undefined) {
    await giveUp(parts, begun);
    throw new AppError(isOther ? "cluster_exists" : "wrong_pin");
  }
  const { finishLoginRequest: finish } = login;
  const node = Buffer.from(JSON.stringify(record)).toString("base64url");
  const transcript = transcriptHash({ ...begun.said, finish, node });
  const keys = joinKeys(login.sessionKey);
  const proof = joinerProof(keys, transcript);
  const answered = await send(parts, begun, {
    run_id: begun.answered.run_id,
    finish,
    node,
    confirm: proof.toString("base64url"),
  });
  const grant = Buffer.from(answered.grant, "base64url");
  const expected = memberProof(keys, { transcript, joinerProof: proof, grant });
  // Nothing of it is opened before it is known that the member sent it.
  if (!constantTimeEqual(Buffer.from(answered.confirm, "base64url"), expected))
    throw new AppError("upstream_failed", "The server there did not prove that it is a member.");
  const { members, ...shared } = openGrant(keys.grant, transcript, grant);
  const isListed = members.some(({ id, node_key: key }) => id === record.id && key === record.node_key);
  if (!isListed) throw senseless();
  return { credentials: await joinedCredentials(pin, { ...shared, clusterId }, nodeKey), members };
}

type Client = Awaited<ReturnType<typeof loadOpaque>>["client"];

/** Undefined where the PIN is not the one of the record. */
function lastMessage(
  client: Client,
  given: { readonly clientLoginState: string; readonly loginResponse: string; readonly password: string },
) {
  try {
    return client.finishLogin({ ...given, keyStretching: PIN_STRETCHING });
  } catch {
    throw senseless();
  }
}

interface Begun {
  readonly answered: StartAnswer;
  /** What of the transcript is known by then. */
  readonly said: Omit<Parameters<typeof transcriptHash>[0], "finish" | "node">;
}

async function begin(
  dialler: PeerDialler,
  url: URL,
  { request, nodeKey }: { readonly request: string; readonly nodeKey: string },
): Promise<Begun> {
  await using connection = await dialler.connect(url);
  const tlsKey = connection.publicKey;
  const message = { version: JOIN_VERSION, request, tls_key: tlsKey, node_key: nodeKey };
  const answered = await exchange(connection, "start", message, startAnswer);
  const { cluster_id: clusterId, run_id: runId, response } = answered;
  return { answered, said: { clusterId, runId, tlsKey, nodeKey, request, response } };
}

async function send({ dialler, url }: JoinerParts, { said }: Begun, last: FinishBody) {
  await using connection = await dialler.connect(url);
  if (connection.publicKey !== said.tlsKey) throw new AppError("tls_intercepted");
  return await exchange(connection, "finish", last, finishAnswer);
}

/** Frees the member for the next try, which would else have to wait for the end of this run. */
async function giveUp(parts: JoinerParts, begun: Begun): Promise<void> {
  const nothing = { run_id: begun.answered.run_id, finish: "", node: "", confirm: "" };
  await send(parts, begun, nothing).catch(() => undefined);
}

async function exchange<Answer>(
  connection: PeerConnection,
  step: "start" | "finish",
  message: unknown,
  shape: z.ZodType<Answer>,
): Promise<Answer> {
  const { status, body } = await connection.post(`/cluster/join/${step}`, message);
  const said = jsonOf(body);
  if (status !== 200) throw refusalOf(status, said);
  const parsed = shape.safeParse(said);
  if (parsed.success) return parsed.data;
  throw senseless();
}

function senseless(): AppError {
  return new AppError("upstream_failed", "What answers there does not speak of joining as this server does.");
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
