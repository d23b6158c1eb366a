import type { Caller, NodeGate } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ClusterState } from "../cluster.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import { calleeProof, judgeProofs, parseCallerCredential } from "./node-credential.ts";

/** The nodes of the cluster that are members now; one that left is not found. */
export interface NodeDirectory {
  /** `nodeKey`: Ed25519 (SPKI, DER), base64url. */
  find(id: string): { readonly nodeKey: string } | undefined;
}

interface NodeGateParts {
  readonly ownId: string;
  readonly state: () => ClusterState;
  readonly directory: NodeDirectory;
}

/** By what a caller was let in. */
interface Ground {
  readonly nodeKey: string;
  readonly credentials: ClusterCredentials;
}

/** Judges other nodes by the key that their record has, the PIN, and the connection they come by. */
export function createNodeGate({ ownId, state, directory }: NodeGateParts): NodeGate {
  const grounds = new WeakMap<Caller, Ground>();
  const nodeKeyOf = (id: string) => (id === ownId ? undefined : directory.find(id)?.nodeKey);
  return {
    authenticate: (presented, binding) => {
      const credentials = credentialsOf(state());
      const proofs = parseCallerCredential(presented);
      const callerId = proofs?.callerId ?? "";
      // Nothing can be right without a connection to be bound to.
      const nodeKey = binding === undefined ? undefined : nodeKeyOf(callerId);
      const call = { callerId, calleeId: ownId, binding: binding ?? "" };
      const { isNode, hasPin } = judgeProofs(credentials, { ...call, use: "request" }, { nodeKey, proofs });
      if (!isNode || nodeKey === undefined) return { refused: reasonOf(presented, proofs !== undefined) };
      const caller = { kind: "node", id: callerId, hasPin } as const;
      grounds.set(caller, { nodeKey, credentials });
      return { caller, answer: calleeProof(credentials, call, hasPin) };
    },
    holds: (caller) => {
      const ground = grounds.get(caller);
      const now = state();
      return (
        ground !== undefined &&
        now.status === "member" &&
        now.credentials === ground.credentials &&
        nodeKeyOf(caller.id) === ground.nodeKey
      );
    },
  };
}

function credentialsOf(state: ClusterState): ClusterCredentials {
  if (state.status !== "member") throw new AppError("cluster_closed");
  return state.credentials;
}

function reasonOf(presented: string | undefined, isWellFormed: boolean) {
  if (presented === undefined) return "missing";
  return isWellFormed ? "unknown" : "malformed";
}
