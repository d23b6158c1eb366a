import { isIP } from "node:net";

/** Whether `text` is an IP address or a CIDR range (`10.0.0.0/8`, `fd00::/8`). */
export function isAddressOrRange(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const family = address.includes("%") ? 0 : isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Whether `text` is a bare host name (RFC 1123 labels, `_` allowed as containers use it): no port, no wildcard. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/i.test(text);
}

/** Whether `text` is exactly an origin as a browser writes it: `https://app.example:8443`, no path, no default port. */
export function isOrigin(text: string): boolean {
  if (!/^https?:\/\//.test(text) || text.includes("*") || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}
