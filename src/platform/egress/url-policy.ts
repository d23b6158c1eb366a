import { holdsControlCharacter } from "../lib/control-character.ts";
import { judgeHost } from "./host-policy.ts";
import { denied, type Verdict } from "./verdict.ts";

/**
 * Judges a URL without any I/O: http or https, no user-info, and a host that may be dialled. Text is judged as it was
 * written too: what parsers of URLs read differently (white space, control characters, backslashes, an `@` before
 * the path) is denied even where this parser would make something harmless of it.
 */
export function judgeUrl(given: string | URL): Verdict {
  const url = typeof given === "string" ? URL.parse(given) : given;
  if (url === null) return denied("malformed", "That is not a URL.");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return denied("scheme", "Only http and https URLs are connected to.");
  }
  if (url.username !== "" || url.password !== "") return USER_INFO;
  const verdict = judgeHost(url.hostname);
  return verdict.allowed && typeof given === "string" ? judgeText(given, verdict) : verdict;
}

const USER_INFO = denied("user-info", "An upstream URL must not hold a user name or password.");

function judgeText(text: string, otherwise: Verdict): Verdict {
  if (/[ \\]/.test(text) || holdsControlCharacter(text)) {
    return denied("malformed", "A URL must not hold white space, control characters or backslashes.");
  }
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (authority === undefined) return denied("malformed", "A URL begins with http:// or https://.");
  return authority.includes("@") ? USER_INFO : otherwise;
}
