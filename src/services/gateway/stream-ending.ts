import { bytesFinder } from "#platform/lib/bytes-finder.ts";
import { memberOf } from "./json-member.ts";

/** Knows, from the bytes of complete events, whether a stream has come to its proper end. */
export interface StreamEnding {
  /** `startsLine` is false when `events` begin in the middle of an event that was too large to hold. */
  isIn(events: Buffer, startsLine: boolean): boolean;
  /** Whether whole `events` hold what nothing can follow: after it a broken connection has cut nothing off. */
  isLast(events: Buffer): boolean;
  /** For one stream of so many choices or images, each of which has its own end; undefined for a single one. */
  ofSeveral?(count: number): StreamEnding | undefined;
}

/** No API gives more; beyond, what an upstream counts up is not remembered. */
const MOST_CHOICES = 1024;
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;
const DONE = Buffer.from("[DONE]");
const FINISH_REASON = Buffer.from('"finish_reason"');
const findDone = bytesFinder(DONE);
const findFinishReason = bytesFinder(FINISH_REASON);
const findMessageStop = bytesFinder(Buffer.from("message_stop"));

/** A chat stream: `data: [DONE]`, or a `finish_reason` that is not null (some upstreams send no `[DONE]`). */
export const chatEnding: StreamEnding = {
  isIn: (events, startsLine) => holdsDone(events, startsLine) || holdsFinishReason(events),
  isLast: (events) => holdsDone(events, true),
  ofSeveral: (count) => (count > 1 ? severalChoices(Math.min(count, MOST_CHOICES)) : undefined),
};

/** Finished by `[DONE]`, or when each of so many choices has had a `finish_reason`. */
function severalChoices(count: number): StreamEnding {
  const finished = new Set<number>();
  const isIn = (events: Buffer, startsLine: boolean) => {
    if (holdsDone(events, startsLine)) return true;
    if (!holdsFinishReason(events)) return false;
    for (const line of linesOf(events, startsLine))
      for (const index of finishedIn(line)) if (index >= 0 && index < count) finished.add(index);
    return finished.size === count;
  };
  return { isIn, isLast: chatEnding.isLast };
}

/** The choices, by their number, that end in this line. */
function finishedIn(line: string): number[] {
  const choices = memberOf(dataOf(line), "choices");
  if (!Array.isArray(choices)) return [];
  return choices.flatMap((choice) => {
    const index = memberOf(choice, "index");
    const isFinished = typeof memberOf(choice, "finish_reason") === "string";
    return isFinished && typeof index === "number" && Number.isInteger(index) ? [index] : [];
  });
}

/** What a line `data: …` brings, where it is JSON. */
function dataOf(line: string): unknown {
  if (!line.startsWith("data:")) return undefined;
  try {
    return JSON.parse(line.slice(5));
  } catch {
    return undefined;
  }
}

/** Streams whose events bear a type: finished by `[DONE]` or one of these types, as event name or root `type`. */
export function typedEnding(types: RegExp, hint: string): StreamEnding {
  const candidates = hint.split("|").map((part) => bytesFinder(Buffer.from(part)));
  const isIn = (events: Buffer, startsLine: boolean) => {
    if (holdsDone(events, startsLine)) return true;
    if (!candidates.some((find) => find(events) !== -1)) return false;
    return linesOf(events, startsLine).some((line) => types.test(typeOfLine(line)));
  };
  return { isIn, isLast: (events) => isIn(events, true) };
}

/** As `single`, whose types are these, when so many of its events have come, each of which ends one of several. */
export function severalTyped(single: StreamEnding, types: RegExp, count: number): StreamEnding {
  // Most events bear their type twice; of one too large to hold it may be found in its name alone.
  const ended = { names: 0, data: 0 };
  const isIn = (events: Buffer, startsLine: boolean) => {
    if (holdsDone(events, startsLine)) return true;
    if (!single.isIn(events, startsLine)) return false;
    for (const line of linesOf(events, startsLine))
      if (types.test(typeOfLine(line))) ended[line.startsWith("data:") ? "data" : "names"] += 1;
    return Math.max(ended.names, ended.data) >= count;
  };
  return { isIn, isLast: single.isLast };
}

/** A stream of messages (https://docs.anthropic.com/en/api/messages-streaming): `message_stop` alone ends it. */
export const messageEnding: StreamEnding = {
  isIn: holdsMessageStop,
  isLast: (events) => holdsMessageStop(events, true),
};

function holdsMessageStop(events: Buffer, startsLine: boolean): boolean {
  if (findMessageStop(events) === -1) return false;
  return linesOf(events, startsLine).some((line) => typeOfLine(line) === "message_stop");
}

/** A line `data: [DONE]`; in a model's text it stands inside a JSON string and never begins a line. */
export function holdsDone(events: Buffer, startsLine: boolean): boolean {
  for (let at = findDone(events); at !== -1; at = findDone(events, at + 1)) {
    const lineStart = Math.max(events.lastIndexOf(LF, at), events.lastIndexOf(CR, at)) + 1;
    const after = events[at + DONE.length];
    if (lineStart === 0 && !startsLine) continue;
    if (at - lineStart > 6 || (after !== undefined && after !== LF && after !== CR)) continue;
    if (/^data: ?$/.test(events.toString("latin1", lineStart, at))) return true;
  }
  return false;
}

/** A member `finish_reason` that is not null; inside a JSON string its quotes are escaped and do not match. */
function holdsFinishReason(events: Buffer): boolean {
  for (let at = findFinishReason(events); at !== -1; at = findFinishReason(events, at + 1)) {
    const colon = behindSpace(events, at + FINISH_REASON.length);
    if (events[colon] === COLON && events[behindSpace(events, colon + 1)] === QUOTE) return true;
  }
  return false;
}

function behindSpace(events: Buffer, from: number): number {
  let at = from;
  while (isSpace(events[at])) at += 1;
  return at;
}

/** Of JSON (RFC 8259, section 2). */
function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === LF || byte === CR;
}

function linesOf(events: Buffer, startsLine: boolean): string[] {
  const lines = events.toString("latin1").split(/\r\n|\r|\n/);
  return startsLine ? lines : lines.slice(1);
}

/**
 * The type a line gives: `event: TYPE`, or the root's `type` in `data: {…}`. A client's own text may be echoed in
 * nested members, so the root is parsed; of an event too large to hold, the first member counts.
 */
function typeOfLine(line: string): string {
  const named = /^event: ?(\S+)$/.exec(line)?.[1];
  if (named !== undefined) return named;
  const data = dataOf(line);
  if (data !== undefined) return String(memberOf(data, "type") ?? "");
  return /^data: ?\{\s*"type"\s*:\s*"([^"]*)"/.exec(line)?.[1] ?? "";
}
