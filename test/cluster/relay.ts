import { createServer, request as httpsRequest } from "node:https";
import { makeCertificate } from "#test/cli/tls-front.ts";

/** One message on its way through the relay, and what it may be replaced by. */
export type Rewrite = (message: {
  readonly path: string;
  readonly to: "member" | "joiner";
  readonly body: string;
}) => string;

/** PEM. */
interface RelayCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A man in the middle: ends TLS with a certificate and passes on what he likes. */
interface Relay extends AsyncDisposable {
  readonly url: string;
  /** Everything he saw, in both directions. */
  readonly seen: readonly string[];
  /** Speaks TLS with this certificate from now on. */
  become(own: RelayCertificate): void;
}

/** With a certificate of his own unless another is given. */
export async function startRelay(
  target: string,
  { rewrite = ({ body }) => body, own }: { readonly rewrite?: Rewrite; readonly own?: RelayCertificate } = {},
): Promise<Relay> {
  const { certificate: cert, key } = own ?? (await makeCertificate());
  const seen: string[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const path = request.url ?? "/";
    const received = await textOf(request);
    const body = rewrite({ path, to: "member", body: received });
    const { authorization } = request.headers;
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(authorization === undefined ? {} : { authorization }),
    };
    const options = { method: request.method, headers, rejectUnauthorized: false, agent: false } as const;
    const onward = httpsRequest(`${target}${path}`, options, async (answer) => {
      const answered = await textOf(answer);
      seen.push(received, answered);
      const type = answer.headers["content-type"] ?? "application/json";
      const proof = answer.headers["x-claviger-node"];
      response.writeHead(answer.statusCode ?? 500, {
        "content-type": type,
        ...(proof === undefined ? {} : { "x-claviger-node": proof }),
      });
      response.end(rewrite({ path, to: "joiner", body: answered }));
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  });
  server.on("tlsClientError", () => {});
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    seen,
    become: (other) => server.setSecureContext({ cert: other.certificate, key: other.key }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
