import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** An HTTP proxy on 127.0.0.1 that knows CONNECT alone. */
export interface ConnectProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The head of each request, in the order of their arrival. */
  readonly heads: readonly string[];
  /** What is answered in place of a tunnel from now on, and whether the connection is then closed. */
  answer(text: string | undefined, close?: boolean): void;
}

/** Whatever host it is asked for, it connects to 127.0.0.1 at that port, as the only one who knows the name would. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  let instead: { text: string; close: boolean } | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let head = "";
    const onData = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", onData);
      heads.push(head);
      if (instead === undefined) return tunnel(socket, head);
      socket.write(instead.text);
      if (instead.close) socket.end();
    };
    socket.on("data", onData);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    heads,
    answer: (text, close = false) => {
      instead = text === undefined ? undefined : { text, close };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function tunnel(socket: Socket, head: string): void {
  const port = Number(/^CONNECT \S+:(\d+) /.exec(head)?.[1]);
  const upstream = connect(port, "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on("error", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
}
