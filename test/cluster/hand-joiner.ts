import { newId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { joinerProof, joinKeys } from "#services/cluster/join/key-schedule.ts";
import { transcriptHash } from "#services/cluster/join/transcript.ts";
import { newNodeKey, publicNodeKey } from "#services/cluster/new-credentials.ts";
import { loadOpaque, PIN_STRETCHING } from "#services/cluster/opaque.ts";

const NODE_KEY = publicNodeKey(newNodeKey());
/** What it says of itself. */
const RECORD = {
  id: newId("node", systemRandom),
  name: "by-hand",
  urls: [],
  node_key: NODE_KEY,
  tls_keys: [],
  admission: 1,
  seq: 1,
  left: false,
};

/** The first message of a join, and what it takes to write the last one. */
export async function firstMessage(pin: string, tlsKey: string) {
  const { client } = await loadOpaque();
  const { clientLoginState, startLoginRequest: request } = client.startLogin({ password: pin });
  return { clientLoginState, body: { version: 1, request, tls_key: tlsKey, node_key: NODE_KEY } };
}

/** What a member answered to it. */
interface Answered {
  readonly run_id: string;
  readonly cluster_id: string;
  readonly response: string;
}

/** The last message; `undefined` where the PIN is wrong, which the joiner sees here. */
export async function lastMessage(
  pin: string,
  first: Awaited<ReturnType<typeof firstMessage>>,
  answered: Answered,
  record: unknown = RECORD,
) {
  const { client } = await loadOpaque();
  const login = client.finishLogin({
    clientLoginState: first.clientLoginState,
    loginResponse: answered.response,
    password: pin,
    keyStretching: PIN_STRETCHING,
  });
  if (login === undefined) return undefined;
  const node = Buffer.from(JSON.stringify(record)).toString("base64url");
  const transcript = transcriptHash({
    clusterId: answered.cluster_id,
    runId: answered.run_id,
    tlsKey: first.body.tls_key,
    nodeKey: first.body.node_key,
    request: first.body.request,
    response: answered.response,
    finish: login.finishLoginRequest,
    node,
  });
  const keys = joinKeys(login.sessionKey);
  const confirm = joinerProof(keys, transcript).toString("base64url");
  const body = { run_id: answered.run_id, finish: login.finishLoginRequest, node, confirm };
  return { keys, transcript, body };
}
