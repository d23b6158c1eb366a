/** What stands for every address of a machine, as a URL writes it. */
const EVERY_ADDRESS = new Set(["0.0.0.0", "[::]"]);

/**
 * Where other machines find a server that listens at `urls`: the first with TLS, else the first. One that listens on every
 * address is found by its machine's name. Undefined for a server that listens on no address.
 */
export function nodeUrl(urls: readonly string[], name: string): string | undefined {
  const chosen = urls.find((url) => url.startsWith("https:")) ?? urls[0];
  if (chosen === undefined) return undefined;
  const { protocol, hostname, port } = new URL(chosen);
  if (!EVERY_ADDRESS.has(hostname)) return chosen;
  return `${protocol}//${name}${port === "" ? "" : `:${port}`}`;
}
