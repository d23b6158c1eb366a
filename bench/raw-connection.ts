import { connect, type Socket } from "node:net";

/** One request, as often as it is asked, over one connection. */
export interface RawRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEAD_END = "\r\n\r\n";

/**
 * A kept connection on which one request after another is asked. Answers are counted by their declared length; nothing
 * else of HTTP is needed, which keeps the load cheap. Anything but a whole 200 is a failure.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #events: { readonly onAnswer: () => void; readonly onFailure: (error: Error) => void };
  #received: Buffer = Buffer.alloc(0);
  #closed = false;

  constructor(
    request: RawRequest,
    events: { readonly onAnswer: () => void; readonly onFailure: (error: Error) => void },
  ) {
    this.#request = requestBytes(request);
    this.#events = events;
    this.#socket = connect(request.port, request.host);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", events.onFailure);
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("close", () => {
      if (!this.#closed) events.onFailure(new Error("the connection was closed before the time was over"));
    });
  }

  /** Sends the request, or these bytes of another; only when the answer to the one before is there. */
  ask(bytes = this.#request): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const length = answerLength(this.#received);
    if (length instanceof Error) return this.#events.onFailure(length);
    if (this.#received.length < length) return;
    this.#received = Buffer.alloc(0);
    this.#events.onAnswer();
  }
}

/** The request as it goes over the connection. */
export function requestBytes({ host, port, path, headers, body }: RawRequest): Buffer {
  const all = {
    host: `${host}:${port}`,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

/** The bytes of the whole answer, head included; infinite while the head is not there yet. */
function answerLength(received: Buffer): number | Error {
  const headLength = received.indexOf(HEAD_END);
  if (headLength < 0) return Number.POSITIVE_INFINITY;
  const head = received.subarray(0, headLength).toString("latin1");
  if (!head.startsWith("HTTP/1.1 200 ")) return new Error(`an answer was not 200: ${received.toString()}`);
  const declared = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (declared === undefined) return new Error(`an answer declared no length: ${head}`);
  return headLength + HEAD_END.length + Number(declared);
}
