import { judgeUrl } from "./url-policy.ts";
import type { Verdict } from "./verdict.ts";

/** What a request needs to know of its URL. */
export interface Target {
  /** The URL it was read from. */
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  readonly verdict: Verdict;
}

/** A URL puts each of its parts together anew when it is asked, and most requests go to the same few. */
const known = new WeakMap<URL, Target>();

/** Reads and judges a URL, once as long as it stays as it is. */
export function targetOf(url: URL): Target {
  const before = known.get(url);
  if (before?.href === url.href) return before;
  const { href, origin, host, pathname, search } = url;
  const target = { href, origin, host, path: pathname + search, verdict: judgeUrl(url) };
  known.set(url, target);
  return target;
}
