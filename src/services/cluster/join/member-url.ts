/** Where a member is, of `https://HOST:PORT`; undefined for any other text. */
export function parseMemberUrl(text: string): URL | undefined {
  // What parsers of URLs read differently is no address that anybody would write.
  if (!/^https:\/\/[A-Za-z0-9.:[\]_-]+\/?$/i.test(text)) return undefined;
  return URL.parse(text) ?? undefined;
}
