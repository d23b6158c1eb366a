import { expect, test } from "vitest";
import { declared, freshKey } from "./declare.ts";

test("[I1][I3][I4][I16] a right file gives what it declares, in its order", () => {
  const [robot, other] = [freshKey(), freshKey()];
  const read = declared(`resources:
  limited:
    resource_type: PermissionSet
    allow: ["gateway.use:openai/*", models.read]
    deny: ["gateway.use:*-preview"]
  robot:
    resource_type: Identity
    credential: { api_key: ${robot.hash} }
    permissions: limited
    id: build-robot
    limits: { requests_per_minute: 60, spend_usd_per_month: 12.5 }
    expires_at: 2027-01-31T02:00:00+02:00
    allowed_ips: [10.0.0.0/8, "fd00::1"]
  other:
    resource_type: Identity
    credential: { api_key: ${other.hash} }
    permissions: [viewer, limited]
  web:
    resource_type: HttpServer
    listen_addr: ["localhost:8441", "unix:/run/claviger.sock", "[fd00::1]:8442"]
    auth: [robot, keys, anonymous]
    tls: { cert: /etc/a.crt, key: /etc/a.key }
    serve: [gateway, events]
    allowed_hosts: [Box.example]
    allowed_origins: [https://app.example]
    anonymous_permissions: viewer
  up:
    resource_type: Provider
    kind: openai-compatible
    base_url: https://up.example/v1
    options: { connect_timeout_ms: 5 }
    credentials: [{ secret: up-key }, { env: UP_KEY }, { file: /run/secrets/up }]
`);
  expect(read.permissionSets).toEqual({
    limited: { allow: ["gateway.use:openai/*", "models.read"], deny: ["gateway.use:*-preview"] },
  });
  expect(read.identities).toEqual([
    {
      name: "robot",
      id: "build-robot",
      hash: robot.hash,
      permissionSets: ["limited"],
      limits: { requests_per_minute: 60, spend_usd_per_month: 12.5 },
      expiresAt: Date.UTC(2027, 0, 31),
      allowedIps: ["10.0.0.0/8", "fd00::1"],
    },
    {
      name: "other",
      id: "other",
      hash: other.hash,
      permissionSets: ["viewer", "limited"],
      limits: {},
      expiresAt: undefined,
      allowedIps: [],
    },
  ]);
  expect(read.httpServers).toEqual([
    {
      name: "web",
      places: [
        { host: "127.0.0.1", port: 8441 },
        { host: "::1", port: 8441 },
        { socketPath: "/run/claviger.sock" },
        { host: "fd00::1", port: 8442 },
      ],
      tls: { kind: "pairs", pairs: [{ cert: "/etc/a.crt", key: "/etc/a.key" }] },
      serves: new Set(["gateway", "events"]),
      entry: {
        kind: "listed",
        identities: new Set(["robot"]),
        users: false,
        keys: true,
        cluster: false,
        anonymous: "viewer",
      },
      allowedHosts: new Set(["box.example"]),
      allowedOrigins: new Set(["https://app.example"]),
    },
  ]);
  expect(read.providers).toEqual([
    {
      name: "up",
      kind: "openai-compatible",
      baseUrl: "https://up.example/v1",
      options: { connect_timeout_ms: 5 },
      credentials: [{ secret: "up-key" }, { env: "UP_KEY" }, { file: "/run/secrets/up" }],
    },
  ]);
});

const server = (rest: string) => {
  const [read] = declared(`resources:\n  web: {resource_type: HttpServer, ${rest}}\n`).httpServers;
  return read;
};

test("[I4] a listener without more serves everything, in plain HTTP on loopback, to those it lists alone", () => {
  expect(server('listen_addr: "127.0.0.1:0", auth: [users, cluster]')).toMatchObject({
    places: [{ host: "127.0.0.1", port: 0 }],
    tls: { kind: "off" },
    serves: new Set(["gateway", "api", "dashboard", "events"]),
    entry: { kind: "listed", users: true, keys: false, cluster: true, anonymous: undefined },
  });
});

test("[I5] auth: null lets all in with the set gateway or the named one, and serves no api or dashboard unless written", () => {
  expect(server('listen_addr: "127.0.0.1:0", auth: null')).toMatchObject({
    serves: new Set(["gateway", "events"]),
    entry: { kind: "open", permissionSet: "gateway" },
  });
  expect(
    server(
      'listen_addr: ":1", auth: null, allow_unauthenticated_remote: true, tls: auto, serve: [api], anonymous_permissions: viewer',
    ),
  ).toMatchObject({ serves: new Set(["api"]), entry: { kind: "open", permissionSet: "viewer" } });
});

test("[I4] beyond loopback: TLS, or plain HTTP where that is written; anonymous where that is written", () => {
  const every = [
    { host: "0.0.0.0", port: 1 },
    { host: "::", port: 1 },
  ];
  expect(server('listen_addr: ":1", auth: [keys], tls: auto')).toMatchObject({
    places: every,
    tls: { kind: "auto" },
  });
  expect(server('listen_addr: ":1", auth: [keys], allow_plain_http: true')?.tls).toEqual({ kind: "off" });
  expect(
    server('listen_addr: "10.0.0.1:1", auth: [anonymous], tls: {pfx: /a.pfx, password_file: /b}'),
  ).toMatchObject({
    tls: { kind: "pfx", pfx: "/a.pfx", passwordFile: "/b" },
    entry: { anonymous: "gateway" },
  });
});

test("two listeners may have one port on addresses that differ, and any number port 0", () => {
  const read = declared(`resources:
  a: {resource_type: HttpServer, listen_addr: ["127.0.0.1:1", "127.0.0.1:0"], auth: [keys]}
  b: {resource_type: HttpServer, listen_addr: ["127.0.0.2:1", "[::1]:1", "127.0.0.1:0"], auth: [keys]}
`);
  expect(read.httpServers).toHaveLength(2);
});
