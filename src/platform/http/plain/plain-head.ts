import type { IncomingHttpHeaders } from "node:http";
import { eachField, isTabbed } from "../../lib/field-lines.ts";
import { knownNames } from "../../lib/known-names.ts";

/** The head of a request that no two readers could read differently. */
export interface PlainHead {
  readonly method: string;
  readonly url: string;
  /** By name in lower case; each came once. */
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value; one latin1 character a byte. */
  readonly rawHeaders: string[];
  /** Bytes of the body. */
  readonly length: number;
}

/** Of targets those that nobody would spell otherwise. */
const REQUEST_LINE = /(?:GET|POST) \/v1\/[\w.~/:@-]*(?:\?[\w.~/:@=&%+,-]*)? HTTP\/1\.1\r\n/y;
const VERSION_LENGTH = " HTTP/1.1\r\n".length;
const LENGTH = /^\d{1,15}$/;
/** What frames the body in another way, or asks for more than an answer; and one that Node gives as a list. */
const NOT_PLAIN = new Set(["transfer-encoding", "expect", "upgrade", "proxy-connection", "set-cookie"]);
const facts = knownNames((name, spelled) => ({ name, spelled, isPlain: !NOT_PLAIN.has(name) }));

/**
 * Reads the head of a request to the gateway that is as nearly all are: its body framed by one Content-Length, no header
 * twice, the connection kept (RFC 9112, 3, 5, 6 and 9). Undefined for any other, which is somebody else's to judge. `text`
 * is all of it, its last line end included and the empty line not.
 */
export function readPlainHead(text: string): PlainHead | undefined {
  // Not `exec`: what it gives costs more than to find the parts of a line whose form is known.
  REQUEST_LINE.lastIndex = 0;
  if (!REQUEST_LINE.test(text)) return undefined;
  const begin = REQUEST_LINE.lastIndex;
  const method = text.startsWith("GET") ? "GET" : "POST";
  const url = text.slice(method.length + 1, begin - VERSION_LENGTH);
  const headers: IncomingHttpHeaders = {};
  const rawHeaders: string[] = [];
  let isPlain = true;
  const areFields = eachField(text, begin, (given, value, lineEnd) => {
    // Its name as it is remembered, not as a part of this text: whoever looks it up again finds the same one.
    const { name, spelled, isPlain: isPlainName } = facts(given);
    // Also one that is called as something every object has.
    isPlain &&=
      isPlainName && headers[name] === undefined && !(name === "content-length" && isTabbed(text, lineEnd));
    headers[name] = value;
    rawHeaders.push(spelled, value);
  });
  if (!areFields || !isPlain || !isKept(headers.connection)) return undefined;
  const declared = headers["content-length"];
  // A POST without a length has no body to some, and is an error to others.
  if (declared === undefined ? method === "POST" : !LENGTH.test(declared)) return undefined;
  return { method, url, headers, rawHeaders, length: Number(declared ?? 0) };
}

function isKept(connection: string | undefined): boolean {
  return connection === undefined || connection === "keep-alive" || connection.toLowerCase() === "keep-alive";
}
