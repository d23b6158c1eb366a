import { AppError } from "../lib/error.ts";
import { eachField, isTabbed } from "../lib/field-lines.ts";
import { knownNames } from "../lib/known-names.ts";

/** The head of an answer, and what it says about the body and the connection (RFC 9112, 4 to 6 and 9). */
export interface AnswerHead {
  readonly status: number;
  /** Name, value, name, value; one latin1 character a byte. */
  readonly headers: readonly string[];
  /** Of Content-Length; undefined without one. */
  readonly length: number | undefined;
  readonly chunked: boolean;
  /** Nothing may follow on this connection. */
  readonly closes: boolean;
  /** How long the upstream says it keeps an idle connection; undefined when it says nothing. */
  readonly keptMs: number | undefined;
}

/** How long an idle connection is kept when the upstream says nothing about it. */
const IDLE_MS = 4_000;
/** A connection is given up so long before the upstream would close it: a request could meet the close on its way. */
const IDLE_MARGIN_MS = 2_000;
const LONGEST_IDLE_MS = 600_000;

const STATUS = /HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;
const STATUS_AT = "HTTP/1.1 ".length;
const LENGTH = /^\d{1,15}$/;

/**
 * Reads a head strictly: `text` is all of it, its last line end included and the empty line not. Throws AppError
 * `upstream_failed` for whatever two readers could read differently.
 */
export function readAnswerHead(text: string): AnswerHead {
  // Not `exec`: what it gives costs more than to find two numbers whose places are known.
  STATUS.lastIndex = 0;
  if (!STATUS.test(text)) throw badAnswer("status line");
  const begin = STATUS.lastIndex;
  const isOld = text.startsWith("HTTP/1.0");
  const status = Number(text.slice(STATUS_AT, STATUS_AT + 3));
  // Its connection would have ended with it.
  if (isOld && status < 200) throw badAnswer("an informational answer in HTTP/1.0");
  const framing: Framing = { length: undefined, coding: undefined, closes: isOld, keptMs: undefined };
  const headers: string[] = [];
  const areFields = eachField(text, begin, (given, value, lineEnd) => {
    // Its name as it is remembered, not as a part of this text: whoever looks it up again finds the same one.
    const { spelled, noted } = facts(given);
    headers.push(spelled, value);
    if (noted !== undefined) noted(framing, value, isTabbed(text, lineEnd));
  });
  if (!areFields) throw badAnswer("header line");
  if (framing.coding !== undefined && (framing.length !== undefined || isOld))
    throw badAnswer("two ways to find its end");
  const { length, closes, keptMs } = framing;
  return { status, headers, length, chunked: framing.coding !== undefined, closes, keptMs };
}

/** What an upstream sent and no HTTP client can use; `what` names the place and nothing of the text. */
export function badAnswer(what: string): AppError {
  return new AppError("upstream_failed", undefined, { detail: `answer: ${what}` });
}

/** How long a connection may be idle whose upstream says it keeps it for so long, or says nothing. */
export function idleMs(keptMs: number | undefined): number {
  return keptMs === undefined ? IDLE_MS : Math.min(keptMs - IDLE_MARGIN_MS, LONGEST_IDLE_MS);
}

interface Framing {
  length: number | undefined;
  coding: string | undefined;
  closes: boolean;
  keptMs: number | undefined;
}

type Note = (framing: Framing, value: string, tabbed: boolean) => void;

const NOTED = new Map<string, Note>([
  ["content-length", noteLength],
  ["transfer-encoding", noteCoding],
  ["connection", noteConnection],
  ["keep-alive", noteKept],
]);
const facts = knownNames((name, spelled) => ({ spelled, noted: NOTED.get(name) }));

function noteLength(framing: Framing, value: string, tabbed: boolean): void {
  if (framing.length !== undefined || !LENGTH.test(value) || tabbed) throw badAnswer("content-length");
  framing.length = Number(value);
}

function noteCoding(framing: Framing, value: string, tabbed: boolean): void {
  if (framing.coding !== undefined || value.toLowerCase() !== "chunked" || tabbed)
    throw badAnswer("transfer-encoding");
  framing.coding = value;
}

function noteConnection(framing: Framing, value: string): void {
  // What nearly all send.
  if (value !== "keep-alive") framing.closes ||= /(^|,)[ \t]*close[ \t]*(,|$)/i.test(value);
}

function noteKept(framing: Framing, value: string): void {
  const seconds = /(?:^|[,; \t])timeout=(\d{1,6})(?:$|[,; \t])/i.exec(value)?.[1];
  if (seconds !== undefined) framing.keptMs = Number(seconds) * 1000;
}
