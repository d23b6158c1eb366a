import { createServer } from "node:https";
import { type SecureVersion, TLSSocket } from "node:tls";
import { makeCertificate } from "#test/cli/tls-front.ts";
import { type HandNode, handProofs } from "./hand-node.ts";
import { tlsKeyOf } from "./member.ts";

/** How a node made by hand answers. */
export interface HandAnswer {
  readonly status?: number;
  readonly body?: string;
  /** The whole `x-claviger-node`; none where it is undefined. */
  readonly proof?: string | undefined;
}

interface HandCallee extends AsyncDisposable {
  readonly url: string;
  readonly tlsKey: string;
  /** The `Authorization` of each request that came. */
  readonly heard: readonly string[];
}

/** A server that answers the calls of nodes as it likes; `right` is what a node proves there. */
export async function startHandCallee(
  node: HandNode,
  answer: (right: string) => HandAnswer | Promise<HandAnswer>,
  { maxVersion = "TLSv1.3" }: { readonly maxVersion?: SecureVersion } = {},
): Promise<HandCallee> {
  const own = await makeCertificate();
  const heard: string[] = [];
  const server = createServer(
    { cert: own.certificate, key: own.key, maxVersion },
    async (request, response) => {
      const authorization = request.headers.authorization ?? "";
      heard.push(authorization);
      request.resume();
      const { socket } = request;
      if (!(socket instanceof TLSSocket)) throw new Error("no TLS");
      const binding = socket
        .exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0))
        .toString("base64url");
      const callerId = /^Claviger-Node (\w+)\./.exec(authorization)?.[1] ?? "";
      const right = handProofs(node, { use: "answer", callerId, calleeId: node.id, binding });
      const { status = 200, body = "{}", proof } = await answer(right);
      response.writeHead(status, proof === undefined ? {} : { "x-claviger-node": proof });
      response.end(body);
    },
  );
  server.on("tlsClientError", () => {});
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    tlsKey: tlsKeyOf(own.certificate),
    heard,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
