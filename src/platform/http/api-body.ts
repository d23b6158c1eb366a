import { isUtf8 } from "node:buffer";
import { AppError } from "../lib/error.ts";

const MAX_DEPTH = 64;

/**
 * Parses an API body: JSON in UTF-8, at most 64 levels deep, no field twice in one object and none that would reach a
 * prototype. An empty body is undefined. Throws AppError `bad_request` or `unknown_field`.
 */
export function parseApiBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new AppError("bad_request", "The body is not valid UTF-8.");
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError("bad_request", "The body is not valid JSON.");
  }
  checkStructure(text);
  return value;
}

/** Walks a text that is known to be valid JSON, without recursion. */
function checkStructure(text: string): void {
  // One entry an open bracket: the names seen so far in an object, undefined in a list.
  const open: (Set<string> | undefined)[] = [];
  let nameExpected = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (nameExpected) addName(open.at(-1), text.slice(at, end + 1));
      nameExpected = false;
      at = end;
    } else if (character === "{" || character === "[") {
      if (open.length >= MAX_DEPTH)
        throw new AppError("bad_request", `The body is nested deeper than ${MAX_DEPTH} levels.`);
      open.push(character === "{" ? new Set() : undefined);
      nameExpected = character === "{";
    } else if (character === "}" || character === "]") {
      open.pop();
      nameExpected = false;
    } else if (character === ",") {
      nameExpected = open.at(-1) !== undefined;
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function addName(seen: Set<string> | undefined, quoted: string): void {
  const name = String(JSON.parse(quoted));
  if (name === "__proto__") throw new AppError("unknown_field", "The field __proto__ is not accepted.");
  if (seen?.has(name) === true) throw new AppError("bad_request", "The body has a field twice.");
  seen?.add(name);
}
