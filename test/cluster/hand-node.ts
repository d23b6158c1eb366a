import { createHmac, createPrivateKey, hkdfSync, sign } from "node:crypto";
import { request } from "node:http";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";

/** What a node has that calls others; PEM and the 43 characters of `pin_derived_key`. */
export interface HandNode {
  readonly id: string;
  readonly clusterId: string;
  readonly nodeKey: string;
  readonly token: string;
}

/** What of it is signed; as docs/formats/node-call.md says it, without a line of the server's own. */
interface HandCall {
  readonly use: "request" | "answer";
  readonly callerId: string;
  readonly calleeId: string;
  readonly binding: string;
}

/** `SIGNATURE.PROOF` of a call. */
export function handProofs({ clusterId, nodeKey, token }: Omit<HandNode, "id">, call: HandCall): string {
  const { use, callerId, calleeId, binding } = call;
  const fields = ["claviger node call", "1", use, clusterId, callerId, calleeId, binding];
  const said = Buffer.concat(
    fields.flatMap((text) => [Buffer.from([0, 0, text.length >> 8, text.length & 255]), Buffer.from(text)]),
  );
  const key = hkdfSync("sha256", Buffer.from(token, "base64url"), "", "claviger cluster node call 1", 32);
  const proof = createHmac("sha256", Buffer.from(key)).update(said).digest("base64url");
  return `${sign(null, said, createPrivateKey(nodeKey)).toString("base64url")}.${proof}`;
}

/** A connection to a server, over which one request can be made. */
export interface HandConnection {
  /** RFC 9266; empty where it is not of TLS 1.3. */
  readonly binding: string;
  readonly socket: TLSSocket;
}

/** Any certificate is taken. */
export async function connectByHand(
  url: string,
  maxVersion: SecureVersion = "TLSv1.3",
): Promise<HandConnection> {
  const { hostname: host, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, maxVersion }, resolve);
  socket.on("error", reject);
  await promise;
  const exported = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  return { binding: exported.toString("base64url"), socket };
}

/** The header with which a node calls another over this connection. */
export function handCredential(
  node: HandNode,
  calleeId: string,
  { binding }: Pick<HandConnection, "binding">,
): string {
  const call = { use: "request", callerId: node.id, calleeId, binding } as const;
  return `Claviger-Node ${node.id}.${handProofs(node, call)}`;
}

/** What one request over the connection is answered; the connection is closed with it. */
export function sendByHand(
  { socket }: HandConnection,
  path: string,
  {
    headers = {},
    body = "{}",
    method = "POST",
  }: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly method?: string;
  },
): Promise<{ status: number; proof: string | undefined; text: string; json: unknown }> {
  return new Promise((resolve, reject) => {
    const all = { host: "127.0.0.1", "content-type": "application/json", ...headers };
    const outgoing = request(
      { createConnection: () => socket, method, path, headers: all },
      async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(Buffer.from(chunk));
        const text = Buffer.concat(chunks).toString();
        const proof = answer.headers["x-claviger-node"];
        resolve({
          status: answer.statusCode ?? 0,
          proof: typeof proof === "string" ? proof : undefined,
          text,
          json: text.startsWith("{") ? JSON.parse(text) : undefined,
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(method === "GET" ? undefined : body);
  });
}
