import { newPair } from "#test/reload/file.ts";
import { UPSTREAM_MODEL } from "#test/upstream.ts";

/** What the file of the seeded server declares: two listeners, prices for `providers`, a permission set, an identity. */
export const seededFile = (providers: readonly string[]) => ({
  settings: {
    prices: providers.map((provider) => ({
      ...{ model: UPSTREAM_MODEL, provider },
      ...{ input_usd_per_million: 4_000, output_usd_per_million: 12_000 },
    })),
  },
  resources: {
    desk: {
      resource_type: "HttpServer",
      listen_addr: "127.0.0.1:0",
      auth: ["users", "keys", "cluster", "anonymous"],
    },
    harbour: {
      resource_type: "HttpServer",
      listen_addr: ["127.0.0.1:0", "[::1]:0"],
      tls: "auto",
      auth: ["till-at-the-harbour", "keys"],
      serve: ["gateway"],
      allowed_hosts: ["claviger.harbour.example"],
    },
    "night-shift": {
      resource_type: "PermissionSet",
      allow: ["gateway.use:openai/*", "models.read", "usage.read"],
      deny: ["gateway.use:openai/o1*"],
    },
    "till-at-the-harbour": {
      resource_type: "Identity",
      credential: { api_key: newPair().hash },
      permissions: ["gateway", "night-shift"],
      limits: { requests_per_minute: 60, tokens_per_day: 250_000 },
      allowed_ips: ["10.20.0.0/16"],
      expires_at: "2099-01-31T00:00:00Z",
    },
  },
});
