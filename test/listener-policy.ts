import type { ListenerPolicy } from "#platform/http/ports.ts";

/** A listener on TCP that serves everything, where whoever has a key may come in and nobody else. */
export function listenerPolicy(own: Partial<ListenerPolicy> = {}): ListenerPolicy {
  return {
    name: "test",
    kind: "tcp",
    secure: false,
    serves: new Set(["gateway", "api", "dashboard", "events"]),
    entry: {
      kind: "listed",
      identities: new Set(),
      users: true,
      keys: true,
      cluster: false,
      anonymous: undefined,
    },
    allowedHosts: new Set(),
    allowedOrigins: new Set(),
    ...own,
  };
}
