import type { IncomingMessage } from "node:http";
import { channelBinding } from "../tls/channel-binding.ts";

const told = new WeakMap<IncomingMessage, string | undefined>();

/** The binding of the connection that a request came by, also where another thread has it; undefined without TLS 1.3. */
export function channelBindingOf(request: IncomingMessage): string | undefined {
  return told.has(request) ? told.get(request) : channelBinding(request.socket);
}

/** For a request whose connection another thread has: that one told this of it. */
export function bindAsTold(request: IncomingMessage, binding: string | undefined): void {
  told.set(request, binding);
}
