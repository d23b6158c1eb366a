import { unescapeFully } from "#platform/http/path.ts";
import { holdsControlCharacter } from "#platform/lib/control-character.ts";
import { AppError } from "#platform/lib/error.ts";

/** What the path of a request says: which API, and where in it. */
export interface PublishedPath {
  readonly name: string;
  /** Everything behind the name, as it was sent: empty, or beginning with a slash. */
  readonly rest: string;
}

const SHAPE = /^\/x\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})((?:\/.*)?)$/s;
/** An escape that is left when three rounds have been undone is nobody's honest spelling. */
const DEEPER_ESCAPE = /%(?:2e|2f|5c|25)/i;
/** UTF-8 that is longer than it need be: how a dot or slash is hidden from whoever compares bytes (RFC 3629, 10). */
const OVERLONG = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/;
/** How IIS escapes a character; no URL has it. */
const WIDE_ESCAPE = /%u[0-9a-f]{4}/i;

/** The parts of a path `/x/NAME/rest`; undefined for any other. The name is taken in its plain spelling only. */
export function readPublishedPath(path: string): PublishedPath | undefined {
  const [, name, rest] = SHAPE.exec(path) ?? [];
  return name === undefined ? undefined : { name, rest: rest ?? "" };
}

/**
 * Refuses a rest that some upstream could read as climbing out of the published path: dot segments in any escaping,
 * behind encoded slashes, backslashes or path parameters, and what hides one. Throws AppError 400.
 */
export function checkRest(rest: string): void {
  const plain = unescapeFully(rest);
  if (holdsControlCharacter(plain) || rest.includes("#"))
    throw new AppError("bad_request", "The path holds a character that no path may hold.");
  const isHidden = DEEPER_ESCAPE.test(plain) || OVERLONG.test(plain) || WIDE_ESCAPE.test(plain);
  if (isHidden || plain.split(/[/\\]/).some(isDotSegment))
    throw new AppError(
      "bad_request",
      "The path must not hold dot segments, nor escapes that could hide them.",
    );
}

/** Whether `rest` lies at or below one of the prefixes, as it is spelled; without prefixes everything does. */
export function isPublished(rest: string, prefixes: readonly string[] | undefined): boolean {
  if (prefixes === undefined) return true;
  const path = rest === "" ? "/" : rest;
  return prefixes.some(
    (prefix) => path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`),
  );
}

/** The request target for the upstream: the base URL's path, then `rest` and `query` (with its `?`) byte for byte. */
export function upstreamTarget(baseUrl: URL, rest: string, query: string): string {
  const base = baseUrl.pathname === "/" ? "" : baseUrl.pathname;
  const path = base + rest;
  return (path === "" ? "/" : path) + query;
}

function isDotSegment(segment: string): boolean {
  const name = (segment.split(/[;?]/, 1)[0] ?? "").trim();
  return name === "." || name === "..";
}
