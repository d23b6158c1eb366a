import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A request as it came over the wire. */
export interface RawRequest {
  readonly body: string;
  /** Whether the body asks for a stream. */
  readonly streamed: boolean;
  /** How many requests came before it on this connection, model lists included. */
  readonly before: number;
}

/** What to do with the socket once a request is there. */
export type Misbehaviour = (socket: Socket, request: RawRequest) => void;

export interface RawUpstream extends AsyncDisposable {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  /** When each request but the model lists came, in monotonic milliseconds. */
  readonly askedAt: number[];
  readonly openSockets: number;
}

const HEAD_END = "\r\n\r\n";
const MODELS = JSON.stringify({ object: "list", data: [{ id: "sim-1", object: "model", created: 0 }] });

/** An upstream that lists its models as it should and treats every other request as it is told. */
export async function startRawUpstream(
  misbehave: Misbehaviour,
  options: { readonly readsBody?: boolean } = {},
): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const askedAt: number[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serveSocket(socket, options.readsBody !== false, (request) => {
      askedAt.push(performance.now());
      misbehave(socket, request);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    askedAt,
    get openSockets() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serveSocket(socket: Socket, readsBody: boolean, onRequest: (request: RawRequest) => void): void {
  let text = "";
  let before = 0;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    const headEnd = text.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = text.slice(0, headEnd);
    const end = headEnd + HEAD_END.length + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (text.length < end && readsBody) return;
    if (text.length < end) socket.pause();
    const body = text.slice(headEnd + HEAD_END.length, end);
    text = text.slice(end);
    before += 1;
    if (head.startsWith("GET ")) socket.write(whole(MODELS));
    else onRequest({ body, streamed: /"stream"\s*:\s*true/.test(body), before: before - 1 });
  });
}

/** A whole answer with its length. */
export function whole(body: string | Buffer, type = "application/json", more = ""): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}content-length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}
