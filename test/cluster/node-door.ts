import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { attachIdentities, createIdentityMemory } from "#identity/declared/index.ts";
import { attachKeys } from "#identity/keys/index.ts";
import { createKeyMemory } from "#identity/keys/key-memory.ts";
import { openListener } from "#platform/http/listener.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import { createRelay, relayedFront } from "#platform/http/relay.ts";
import { createHttpServer } from "#platform/http/server.ts";
import { newId, newRequestId as requestIdAt } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import { SESSION_TICKET_KEY_BYTES } from "#platform/tls/material.ts";
import type { ClusterState } from "#services/cluster/cluster.ts";
import { MemberDigest } from "#services/cluster/index.ts";
import { createNodeGate } from "#services/cluster/members/node-gate.ts";
import { callerNode, nodeContract } from "#services/cluster/members/node-route.ts";
import { makeCertificate } from "#test/cli/tls-front.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { entryOf } from "#test/listeners/bench.ts";
import { createGates } from "../../src/app/gates.ts";
import { attachLimits, createLimitsMemory } from "../../src/app/limits.ts";
import { SetsInForce } from "../../src/app/sets-in-force.ts";
import { newToken } from "./cluster-files.ts";
import type { HandNode } from "./hand-node.ts";

/** The routes that nodes find there: for all of them, and for those that have the PIN. */
export const GREETING = "/cluster/greeting";
export const THING = "/cluster/thing";
/** A route of the API, for comparison. */
export const PLANTED = "/api/v1/planted";
const BODY_LIMIT_BYTES = 1024;

/** A server with two routes of nodes, and a list of nodes that the test keeps. */
export interface NodeDoor extends AsyncDisposable {
  readonly url: string;
  readonly id: string;
  readonly clock: FakeClock;
  /** Node keys by id. */
  readonly directory: Map<string, { readonly nodeKey: string }>;
  readonly lock: { locked: boolean };
  /** What the server's files say from now on. */
  become(state: ClusterState): void;
  /** Its own state, with what is given in the place of what it has. */
  stateWith(own: { readonly token?: string }): ClusterState;
  /** A node that it knows; of another token where one is given. */
  addNode(token?: string): HandNode;
  /** The ids of the nodes that handlers were asked by. */
  readonly served: readonly string[];
  readonly logged: () => string;
  /** What audit was told of. */
  readonly refused: readonly { readonly actor: string | null; readonly action: string }[];
  /** Another listener of this server; the URL. */
  listen(policy: Partial<ListenerPolicy>): Promise<string>;
}

/** `relayed`: its connections are another thread's, as it were. */
export async function startNodeDoor({
  relayed = false,
}: {
  readonly relayed?: boolean;
} = {}): Promise<NodeDoor> {
  const undo = new AsyncDisposableStack();
  const clock = new FakeClock();
  const id = newId("node", systemRandom);
  const [clusterId, token] = [newId("cluster", systemRandom), newToken()];
  const directory = new Map<string, { readonly nodeKey: string }>();
  const stateWith = (own: { readonly token?: string }) =>
    stateOf({ clusterId, token: own.token ?? token, nodeKey: newKey().pem });
  let state: ClusterState = stateWith({});
  const lock = { locked: false };
  const [served, lines]: [string[], string[]] = [[], []];
  const refused: { actor: string | null; action: string }[] = [];
  const gates = createGates({
    lock: { isLocked: () => lock.locked },
    keys: attachKeys(createKeyMemory(0, 4), () => new Secret(newToken()), clock),
    identities: attachIdentities(createIdentityMemory(4), { clock, random: systemRandom }),
    members: new MemberDigest(),
    sets: new SetsInForce({}),
    limits: attachLimits(createLimitsMemory({ principals: 4, threads: 1, random: systemRandom }), 0),
    nodes: createNodeGate({
      ownId: id,
      state: () => state,
      directory: { find: (asked) => directory.get(asked) },
    }),
  });
  const log = createLog({ level: "info", sink: { write: (text) => void lines.push(text) } });
  const server = await createHttpServer({
    gates,
    audit: { refused: (event) => void refused.push(event) },
    log,
    tools: { clock, random: systemRandom },
    gateway: { contracts: () => [], serve: () => {} },
    register: (api) => {
      for (const [path, needs] of [
        [GREETING, "greet"],
        [THING, "member"],
      ] as const)
        api.route({
          method: "POST",
          url: path,
          bodyLimit: BODY_LIMIT_BYTES,
          config: { contract: nodeContract(path, needs) },
          schema: { summary: "A planted route.", body: z.strictObject({ text: z.string().optional() }) },
          handler: async (request) => {
            served.push(callerNode(request).id);
            return callerNode(request);
          },
        });
      api.route({
        method: "GET",
        url: PLANTED,
        config: {
          contract: {
            method: "GET",
            path: PLANTED,
            action: "nodes.read",
            openWhileLocked: false,
            family: "api",
          },
        },
        handler: async () => ({}),
      });
    },
  });
  undo.defer(() => server.close());
  const { certificate: cert, key } = await makeCertificate();
  const directoryPath = mkdtempSync(join(tmpdir(), "claviger-door-"));
  undo.defer(() => rmSync(directoryPath, { recursive: true, force: true }));
  const policies = new Map<string, ListenerPolicy>();
  const newRequestId = () => requestIdAt(Date.now(), systemRandom);
  const told = { newRequestId, onBroken: () => {} };
  const socketPath = join(directoryPath, "relay.sock");
  const behind = relayedFront(server.front, (name) => policies.get(name));
  const relayEnd = await openListener({
    target: { socketPath },
    policy: listenerPolicy({ kind: "control" }),
    front: behind,
    ...told,
  });
  undo.defer(() => relayEnd.close(0));
  const relay = createRelay(socketPath, newRequestId);
  undo.defer(() => relay.close());
  const listen = async (own: Partial<ListenerPolicy>) => {
    const policy = listenerPolicy({
      secure: true,
      entry: { ...entryOf({ cluster: true }), anonymous: undefined },
      ...own,
    });
    const name = `door ${policies.size}`;
    policies.set(name, policy);
    const tls = {
      pairs: [{ pair: { cert, key }, names: ["localhost"] }],
      ticketKeys: systemRandom.bytes(SESSION_TICKET_KEY_BYTES),
    };
    const front = relayed ? relay.frontFor(name) : server.front;
    const target = { host: "127.0.0.1", port: 0 };
    const listener = await openListener({
      target,
      policy,
      front,
      tls: policy.secure ? tls : undefined,
      ...told,
    });
    undo.defer(() => listener.close(0));
    return listener.url;
  };
  const url = await listen({});
  return {
    url,
    id,
    clock,
    directory,
    lock,
    become: (next) => {
      state = next;
    },
    stateWith,
    addNode: (own = token) => {
      const made = newKey();
      const node = { id: newId("node", systemRandom), clusterId, nodeKey: made.pem, token: own };
      directory.set(node.id, { nodeKey: made.publicKey });
      return node;
    },
    served,
    logged: () => lines.join(""),
    refused,
    listen,
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

function newKey(): { readonly pem: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const der = createPublicKey(pem).export({ type: "spki", format: "der" });
  return { pem, publicKey: der.toString("base64url") };
}

function stateOf(own: { readonly clusterId: string; readonly token: string; readonly nodeKey: string }) {
  return {
    status: "member",
    credentials: {
      clusterId: own.clusterId,
      salt: Buffer.alloc(32),
      epoch: 1,
      pinGeneration: 1,
      iterations: 600_000,
      pepper: new Secret("unused"),
      opaque: { serverSetup: new Secret("unused"), record: "unused" },
      pinHash: "unused",
      memberToken: new Secret(own.token),
      nodeKey: new Secret(own.nodeKey),
    },
  } as const;
}
