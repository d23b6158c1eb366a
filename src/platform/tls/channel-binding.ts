import { TLSSocket } from "node:tls";

/** The label and length of RFC 9266, `tls-exporter`. */
const LABEL = "EXPORTER-Channel-Binding";
const BINDING_BYTES = 32;

/**
 * What no other TLS connection has (RFC 9266, `tls-exporter`), base64url: the same at both ends, and another on each side
 * of whoever ends TLS between them. Undefined without TLS 1.3, whose exporter alone is unique whatever the two agreed on.
 */
export function channelBinding(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket) || socket.getProtocol() !== "TLSv1.3") return undefined;
  // No context is the empty one in TLS 1.3 (RFC 8446, 7.5).
  return socket.exportKeyingMaterial(BINDING_BYTES, LABEL, Buffer.alloc(0)).toString("base64url");
}
