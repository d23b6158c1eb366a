import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** A client's request: Node's own, or one that was read here (`plain/`). */
export interface ClientRequest
  extends Pick<IncomingMessage, "method" | "url" | "headers" | "rawHeaders" | "socket" | "complete"> {
  on(event: "data", listener: (piece: Buffer) => void): this;
  on(event: "end" | "close", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "end", listener: () => void): this;
  off(event: "data", listener: (piece: Buffer) => void): this;
  off(event: "end" | "close", listener: () => void): this;
  pause(): this;
  resume(): this;
  /** The body, where all of it is there and nobody heard of any of it; then no event tells of it. Node's own has none. */
  takeWhole?(): Buffer | undefined;
}

/** The answer to one: as much of Node's own as the gateway needs. */
export interface ClientResponse {
  readonly headersSent: boolean;
  readonly statusCode: number;
  readonly destroyed: boolean;
  /** Undefined or null once it has none any more. */
  readonly socket: Socket | null | undefined;
  /** Whether pieces are put into chunks. */
  chunkedEncoding: boolean;
  on(event: "close" | "drain", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "close" | "drain", listener: () => void): this;
  setHeader(name: string, value: string): this;
  /** Headers as name, value, name, value, or by name. */
  writeHead(status: number, headers: string[] | Record<string, string>): this;
  writeContinue(): void;
  flushHeaders(): void;
  write(piece: Buffer): boolean;
  /** Ends one that is not in chunks, its head and body in one piece. Node's own has none. */
  endWhole?(body: Buffer): this;
  end(last?: Buffer): this;
  end(last: string, encoding: "latin1"): this;
  destroy(): this;
}
