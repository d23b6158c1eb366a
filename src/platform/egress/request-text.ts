import type { Socket } from "node:net";
import { AppError } from "../lib/error.ts";
import { knownNames } from "../lib/known-names.ts";
import type { Outbound } from "./exchange.ts";

const TARGET = /^[\x21-\xff]+$/;
const METHOD = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const NAME = METHOD;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^\d{1,15}$/;
/** Head and body up to this size leave in one piece of memory; a larger body is not copied. */
const ONE_PIECE_BYTES = 16 * 1024;
/** They say where a message ends, or are for one connection alone: the client's to set. */
const NOT_THE_CALLERS = new Set([
  "connection",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The first lines of a request, and what they declare. */
export interface RequestText {
  /** Request line and headers, each with its line end; the length and the empty line are still to come. */
  readonly text: string;
  /** Of the caller's content-length; undefined without one. */
  readonly declared: number | undefined;
}

/**
 * Puts the head of a request together. Throws AppError `upstream_failed` when something in it would not arrive as
 * what it is: nothing of a caller's text can end a line. `lasts`: another request is to follow on the connection.
 */
export function requestText(
  request: Pick<Outbound, "method" | "target" | "host" | "headers">,
  lasts: boolean,
): RequestText {
  const { method, target, host, headers } = request;
  if (!METHOD.test(method) || method === "CONNECT") throw unsendable("method");
  if (!TARGET.test(target)) throw unsendable("target");
  let lines = "";
  let named: string | undefined;
  let declared: number | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? "";
    const value = headers[at + 1] ?? "";
    const role = roleOf(name);
    if (role === "no-name" || !VALUE.test(value)) throw unsendable("header");
    if (role === "refused") throw unsendable("header of one connection");
    if (role === "host") named = only(named, value);
    else if (role === "length") declared = lengthOf(declared, value);
    else lines += `${name}: ${value}\r\n`;
  }
  const connection = lasts ? "keep-alive" : "close";
  const first = `${method} ${target} HTTP/1.1\r\nhost: ${named ?? host}\r\nconnection: ${connection}\r\n`;
  return { text: first + lines, declared };
}

/** Sends a head and a body that is there already, in one write. */
export function writeWhole(socket: Socket, head: string, body: Buffer | undefined): void {
  if (body === undefined) {
    socket.write(head, "latin1");
  } else if (body.length <= ONE_PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(head.length + body.length);
    piece.write(head, 0, "latin1");
    body.copy(piece, head.length);
    socket.write(piece);
  } else {
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body);
    socket.uncork();
  }
}

type Role = "host" | "length" | "refused" | "no-name" | "other";

const roleOf = knownNames((name, spelled): Role => {
  // As it is spelled: the sign for kelvin is a k in lower case.
  if (!NAME.test(spelled)) return "no-name";
  if (name === "host") return "host";
  if (name === "content-length") return "length";
  return NOT_THE_CALLERS.has(name) ? "refused" : "other";
});

function only(before: string | undefined, value: string): string {
  if (before !== undefined) throw unsendable("host");
  return value;
}

function lengthOf(before: number | undefined, value: string): number {
  if (before !== undefined || !LENGTH.test(value)) throw unsendable("content-length");
  return Number(value);
}

function unsendable(what: string): AppError {
  return new AppError("upstream_failed", "The request cannot be sent to the upstream as it is.", {
    detail: `request: ${what}`,
  });
}
