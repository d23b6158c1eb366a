import { channelBinding } from "../tls/channel-binding.ts";
import type { ClientRequest } from "./client-request.ts";

const told = new WeakMap<ClientRequest, string | undefined>();

/** The binding of the connection that a request came by, also where another thread has it; undefined without TLS 1.3. */
export function channelBindingOf(request: ClientRequest): string | undefined {
  return told.has(request) ? told.get(request) : channelBinding(request.socket);
}

/** For a request whose connection another thread has: that one told this of it. */
export function bindAsTold(request: ClientRequest, binding: string | undefined): void {
  told.set(request, binding);
}
