import { connect, type Socket } from "node:net";

/** What came over a bare connection until the server closed it. */
export async function sendRaw(url: string, ...parts: readonly (string | Buffer)[]): Promise<string> {
  await using connection = openRaw(url);
  for (const part of parts) connection.socket.write(part);
  return await connection.untilClosed();
}

/** A bare connection: bytes go as they are written here. */
export interface RawConnection extends AsyncDisposable {
  readonly socket: Socket;
  /** What has come once `pattern` is in it. */
  until(pattern: RegExp): Promise<string>;
  untilClosed(): Promise<string>;
}

export function openRaw(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = "";
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const wake of waiting) wake();
  };
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    tell();
  });
  // A server that closes while more is sent resets the connection; what it said before is what counts.
  socket.on("error", () => {});
  socket.on("close", tell);
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(received)) resolve(received);
        else if (socket.destroyed) reject(new Error(`closed before ${pattern}: ${received}`));
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    until,
    untilClosed: () => closed,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await closed;
    },
  };
}

/** A POST of JSON that was let in; its body is for the caller to send. */
export async function openWithoutBody(url: string, token: string, bodyBytes: number): Promise<RawConnection> {
  const connection = openRaw(url);
  const lines = [
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${bodyBytes}`,
    "Expect: 100-continue",
  ];
  connection.socket.write(rawRequest(`POST ${new URL(url).pathname} HTTP/1.1`, lines));
  await connection.until(/100 Continue/);
  return connection;
}

/** The status of the first answer in `text`. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}

/** A request that asks for the connection to be closed, as bytes; `lines` are further header lines. */
export function rawRequest(requestLine: string, lines: readonly string[] = [], body = ""): string {
  const host = lines.some((line) => /^host:/i.test(line)) ? [] : ["Host: 127.0.0.1"];
  return [requestLine, ...host, "Connection: close", ...lines, "", body].join("\r\n");
}
