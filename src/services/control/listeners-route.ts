import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import type { Api } from "#platform/http/server.ts";

const LISTENERS: RouteContract = {
  method: "GET",
  path: "/api/v1/listeners",
  action: "settings.manage",
  openWhileLocked: false,
  family: "api",
};
const certificate = z.object({
  subject: z.string(),
  /** DNS names and addresses it is for. */
  names: z.array(z.string()),
  addresses: z.array(z.string()),
  /** SHA-256 of the whole, in hexadecimal with colons, as openssl and browsers show it. */
  fingerprint: z.string(),
  not_before: z.string(),
  not_after: z.string(),
  /** Whole days; below zero once it has expired. */
  days_left: z.int(),
  self_signed: z.boolean(),
});
const listener = z
  .object({
    name: z.string(),
    source: z.enum(["file", "flag", "default"]),
    state: z.enum(["listening", "not_listening"]),
    /** Why it does not listen. */
    reason: z.string().nullable(),
    /** `bound` is null where it does not listen; a port of 0 is another there. */
    addresses: z.array(z.object({ configured: z.string(), bound: z.string().nullable() })),
    /** Where programs reach it, those of every address spelled out; none for a Unix socket. */
    urls: z.array(z.string()),
    /** Whether this machine alone reaches it. */
    loopback_only: z.boolean(),
    /** Who may enter, as claviger.yaml says it; null where authentication is off. */
    auth: z.array(z.string()).nullable(),
    /** The permission set of callers without a credential; null where there are none. */
    anonymous_permissions: z.string().nullable(),
    serve: z.array(z.enum(["gateway", "api", "dashboard", "events"])),
    /** Names it answers for beside loopback names, addresses and the machine's own. */
    allowed_hosts: z.array(z.string()),
    allowed_origins: z.array(z.string()),
    tls: z.enum(["off", "auto", "files"]),
    /** What clients are shown; the first to those who ask for no name of another. */
    certificates: z.array(certificate),
  })
  .meta({ id: "Listener" });
const answer = z.object({
  data: z.array(listener),
  next_cursor: z.null(),
  /** Why the file is not in force as it is now; null where it is. */
  refused: z.string().nullable(),
});

/** The listeners that are open, and those that the file declares and that could not be opened. */
export type ListenersInForce = Omit<z.infer<typeof answer>, "next_cursor">;

/** For the API's description. */
const example: z.infer<typeof listener> = {
  name: "network",
  source: "file",
  state: "listening",
  reason: null,
  addresses: [{ configured: "0.0.0.0:8442", bound: "0.0.0.0:8442" }],
  urls: ["https://192.0.2.7:8442", "https://box:8442"],
  loopback_only: false,
  auth: ["users", "keys"],
  anonymous_permissions: null,
  serve: ["gateway", "api", "dashboard", "events"],
  allowed_hosts: ["box", "localhost"],
  allowed_origins: [],
  tls: "auto",
  certificates: [
    {
      subject: "CN=claviger",
      names: ["localhost", "box"],
      addresses: ["192.0.2.7"],
      fingerprint: Array(32).fill("5A").join(":"),
      not_before: "2026-01-01T00:00:00.000Z",
      not_after: "2027-02-02T00:00:00.000Z",
      days_left: 397,
      self_signed: true,
    },
  ],
};

/** `GET /api/v1/listeners`: where the server listens. Of a certificate's key nothing is here, nor where it lies. */
export function listenersRoute(api: Api, listeners: () => ListenersInForce): void {
  api.route({
    method: LISTENERS.method,
    url: LISTENERS.path,
    config: { contract: LISTENERS },
    schema: {
      summary: "List the listeners, who enters by each, what it serves, and its certificates.",
      response: { 200: answer },
      example: { answer: { data: [example], next_cursor: null, refused: null } },
    },
    handler: async () => ({ ...listeners(), next_cursor: null }),
  });
}
