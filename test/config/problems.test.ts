import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { declare, freshKey, problemsOf } from "./declare.ts";

const { key, hash } = freshKey();
const identity = (name: string, rest = "permissions: gateway", own = freshKey().hash) =>
  `  ${name}: {resource_type: Identity, credential: {api_key: "${own}"}, ${rest}}\n`;
const listener = (rest: string) => `  web: {resource_type: HttpServer, ${rest}}\n`;
const upstream = (rest: string) => `  up: {resource_type: Provider, ${rest}}\n`;
const set = (rest: string) => `  mine: {resource_type: PermissionSet, ${rest}}\n`;
const LOCAL = 'listen_addr: "127.0.0.1:1"';
const OPENAI = "kind: openai";

/** What is wrong, the resources, and the place and the words of each problem, in order. */
const MISTAKES: readonly [string, string, ...string[]][] = [
  [
    "an unknown field",
    set("allow: [], alow: []"),
    '2:51: "alow" is not a field of PermissionSet (did you mean "allow"?)',
  ],
  [
    "an unknown field below",
    identity("ci", "permissions: gateway, limits: {requests: 1}"),
    '2:159: "requests" is not a field of limits (known: requests_per_minute, concurrency,',
  ],
  [
    "a field that is unlike all",
    set("allow: [], zzzzzzzzzz: 1"),
    '2:51: "zzzzzzzzzz" is not a field of PermissionSet (known: permissions, allow, deny)',
  ],
  [
    "a missing field",
    `  ci: {resource_type: Identity, credential: {api_key: "${hash}"}}\n`,
    "2:3: this Identity lacks the field permissions",
  ],
  [
    "a missing field below",
    "  ci: {resource_type: Identity, credential: {}, permissions: a}\n",
    "2:33: credential lacks the field api_key",
    '2:62: there is no PermissionSet called "a"',
  ],
  ["a wrong type", set("allow: gateway.use"), "2:47: allow: must be a list"],
  ["a wrong type in a list", set("allow: [gateway.use, 7]"), "2:61: allow: must be a text"],
  [
    "a wrong type with several forms",
    identity("ci", "permissions: 7"),
    "2:141: permissions: must be a text or a list",
  ],
  [
    "a number out of its range",
    identity("ci", "permissions: gateway, limits: {concurrency: 0}"),
    "2:172: limits.concurrency: must be at least 1",
  ],
  ["no resource_type", "  a: {allow: []}\n", '2:3: "a" lacks resource_type: PermissionSet, Identity'],
  [
    "an unknown resource_type",
    "  a: {resource_type: Identty}\n",
    '2:22: "Identty" is no resource_type (did you mean "Identity"?)',
  ],
  [
    "a resource_type of another type",
    "  a: {resource_type: [Identity]}\n",
    "2:22: resource_type must be one of PermissionSet",
  ],
  ["Route", "  a: {resource_type: Route}\n", "2:22: this version has no resource_type Route"],
  ["no mapping", "  a: 7\n", '2:6: "a" must be a mapping'],
  ["an empty resource", "  a:\n", '2:5: "a" must be a mapping'],
  [
    "an unknown permission set",
    identity("ci", "permissions: [gateway, gatewya]"),
    '2:151: there is no PermissionSet called "gatewya" (did you mean "gateway"?)',
  ],
  [
    "a resource of another kind",
    `${identity("a")}${identity("b", "permissions: a")}`,
    '3:140: "a" is a resource of type Identity, and PermissionSet is wanted here',
  ],
  [
    "an unknown identity in auth",
    `${identity("robot")}${listener(`${LOCAL}, auth: [robto]`)}`,
    '3:71: there is no Identity called "robto" (did you mean "robot"?)',
  ],
  [
    "a permission set in auth",
    `${set("allow: []")}${listener(`${LOCAL}, auth: [mine]`)}`,
    '3:71: "mine" is a resource of type PermissionSet, and Identity is wanted here',
  ],
  [
    "an unknown set for the anonymous",
    listener(`${LOCAL}, auth: null, anonymous_permissions: viewr`),
    '2:99: there is no PermissionSet called "viewr" (did you mean "viewer"?)',
  ],
  [
    "a set for an anonymous who may not enter",
    listener(`${LOCAL}, auth: [keys], anonymous_permissions: viewer`),
    "2:78: this has no effect: auth lets nobody in without a credential",
  ],
  ["a name twice", `${set("allow: []")}${set("allow: []")}`, "3:3: this key is here for the second time"],
  [
    "two identities with one credential",
    `${identity("a", "permissions: gateway", hash)}${identity("b", "permissions: gateway", hash)}`,
    '3:54: the identity "a" has the same credential',
  ],
  [
    "two identities with one id",
    `${identity("a")}${identity("b", "permissions: gateway, id: a")}`,
    '3:153: "a" has the same id',
  ],
  [
    "an id that the server gives out",
    identity("a", "permissions: gateway, id: key_1"),
    "2:153: an id must not begin as those do",
  ],
  [
    "a reserved word as an id",
    identity("a", "permissions: gateway, id: anonymous"),
    '2:153: "anonymous" is a word with a meaning of its own; choose another id',
  ],
  [
    "the name of the cluster's members as an id",
    identity("member"),
    '2:3: "member" is a word with a meaning of its own; choose another id',
  ],
  ...["users", "keys", "cluster", "anonymous", "local", "mitm"].map((word): [string, string, string] => [
    `the reserved word ${word} as a name`,
    `  ${word}: {resource_type: PermissionSet, allow: []}\n`,
    `2:3: "${word}" is a word with a meaning of its own`,
  ]),
  [
    "a name with a space",
    '  "a b": {resource_type: PermissionSet, allow: []}\n',
    "2:3: a name is 1 to 63 of",
  ],
  [
    "a key for a hash",
    identity("a", "permissions: gateway", key),
    "2:54: credential.api_key: this is a key, and a key has no place here",
  ],
  [
    "a hash that is no base64",
    identity("a", "permissions: gateway", "%%"),
    "2:54: credential.api_key: the hash is malformed: it is not base64",
  ],
  [
    "a hash that is cut",
    identity("a", "permissions: gateway", Buffer.from("sha256$YWJj").toString("base64")),
    "2:54: credential.api_key: the hash is malformed: the digest has 3 bytes instead of 32",
  ],
  [
    "a time without a zone",
    identity("a", "permissions: gateway, expires_at: 2027-01-31T00:00:00"),
    "2:161: expires_at: must be a time of RFC 3339",
  ],
  [
    "a day for a time",
    identity("a", "permissions: gateway, expires_at: 2027-01-31"),
    "2:161: expires_at: must be a time of RFC 3339",
  ],
  [
    "a wrong address",
    identity("a", "permissions: gateway, allowed_ips: [10.0.0.1, 10.0.0]"),
    "2:173: allowed_ips: must be an IP address or a range",
  ],
  [
    "a wrong range",
    identity("a", "permissions: gateway, allowed_ips: [10.0.0.0/33]"),
    "2:163: allowed_ips: must be an IP address or a range",
  ],
  [
    "an unknown action",
    set("allow: [gateway.user]"),
    '2:48: allow: no action is called "gateway.user". Did you mean "gateway.use"?',
  ],
  ["a pattern where none may be", set("deny: ['usage.read:x']"), "2:47: deny: usage.read takes no pattern."],
  ["an empty pattern", set("deny: ['gateway.use:']"), "2:47: deny: the pattern after the colon is empty."],
  [
    "full beside a list",
    set("permissions: full, deny: []"),
    "2:3: permissions: full leaves nothing to allow or deny",
  ],
  [
    "a set without anything",
    "  mine: {resource_type: PermissionSet}\n",
    "2:3: a PermissionSet has permissions: full, or a list allow",
  ],
  ["half for full", set("permissions: half"), "2:53: permissions: must be one of full"],
  ["no auth", listener(LOCAL), "2:3: this HttpServer lacks the field auth"],
  ["auth without anyone", listener(`${LOCAL}, auth: []`), "2:70: auth: must have at least 1 entry"],
  ["auth as one name", listener(`${LOCAL}, auth: keys`), "2:70: auth: must be a list"],
  [
    "auth: null beyond loopback",
    listener('listen_addr: ":1", auth: null, tls: auto'),
    "2:61: auth: null would let everyone in from beyond this machine",
  ],
  [
    "plain HTTP beyond loopback",
    listener('listen_addr: ["127.0.0.1:1", "10.0.0.1:1"], auth: [keys]'),
    "2:65: this would be plain HTTP beyond this machine",
  ],
  [
    "tls: off beyond loopback",
    listener('listen_addr: "[::]:1", auth: [keys], tls: off'),
    "2:49: this would be plain HTTP beyond this machine",
  ],
  [
    "one address in two listeners",
    `${listener(`${LOCAL}, auth: [keys]`)}  other: {resource_type: HttpServer, listen_addr: "127.0.0.1:1", auth: [keys]}\n`,
    '3:51: "web" already listens there',
  ],
  [
    "an address within another's every address",
    `${listener('listen_addr: ":1", auth: [keys], tls: auto')}  other: {resource_type: HttpServer, listen_addr: "[0:0::1]:1", auth: [keys]}\n`,
    '3:51: "web" already listens there',
  ],
  [
    "an address twice",
    listener('listen_addr: ["127.0.0.1:1", "localhost:1"], auth: [keys]'),
    "2:65: this listener itself already listens there",
  ],
  [
    "one socket in two listeners",
    `${listener('listen_addr: "unix:/run/a", auth: [keys]')}  other: {resource_type: HttpServer, listen_addr: "unix:/run/a", auth: [keys]}\n`,
    '3:51: "web" already listens there',
  ],
  [
    "a port that is none",
    listener('listen_addr: "127.0.0.1:", auth: [keys]'),
    "2:49: listen_addr: must be an address with its port",
  ],
  [
    "a host name",
    listener('listen_addr: "box.example:1", auth: [keys]'),
    "2:49: listen_addr: a host name may come to mean another address",
  ],
  [
    "a relative socket path",
    listener('listen_addr: "unix:run/a", auth: [keys]'),
    "2:49: listen_addr: unix: is followed by an absolute path",
  ],
  [
    "a socket path that is too long",
    listener(`listen_addr: "unix:/${"a".repeat(107)}", auth: [keys]`),
    "2:49: listen_addr: the path of a unix socket has at most 107 bytes",
  ],
  [
    "an unknown word for tls",
    listener(`${LOCAL}, auth: [keys], tls: aut`),
    '2:83: tls: must be auto or off or a mapping or a list (did you mean "auto"?)',
  ],
  [
    "a certificate without its key",
    listener(`${LOCAL}, auth: [keys], tls: {cert: /a}`),
    "2:78: tls lacks the field key",
  ],
  [
    "a relative certificate",
    listener(`${LOCAL}, auth: [keys], tls: {cert: a, key: /b}`),
    "2:90: tls.cert: must be an absolute path",
  ],
  [
    "an unknown word to serve",
    listener(`${LOCAL}, auth: [keys], serve: [gatway]`),
    '2:86: serve: must be one of gateway, api, dashboard, events (did you mean "gateway"?)',
  ],
  [
    "a wrong host name",
    listener(`${LOCAL}, auth: [keys], allowed_hosts: ["a:1"]`),
    "2:94: allowed_hosts: must be a host name without port or wildcard",
  ],
  [
    "a wrong origin",
    listener(`${LOCAL}, auth: [keys], allowed_origins: ["*"]`),
    "2:96: allowed_origins: must be an exact origin",
  ],
  [
    "too much for the anonymous",
    listener(`${LOCAL}, auth: [anonymous], anonymous_permissions: superadmin`),
    '2:106: the set "superadmin" holds settings.manage, users.manage, backup.create, which nobody has without a credential',
  ],
  [
    "too much for the anonymous by a set of the file",
    `  gateway: {resource_type: PermissionSet, allow: ["backup.*"]}\n${listener(`${LOCAL}, auth: null`)}`,
    '3:70: the set "gateway" holds backup.create',
  ],
  [
    "an unknown kind of upstream",
    upstream("kind: opnai"),
    '2:39: kind: must be one of openai, openai-compatible, ollama, anthropic, anthropic-compatible, http (did you mean "openai"?)',
  ],
  ["a kind that needs a base URL", upstream("kind: http"), "2:3: A provider of kind http needs a base_url."],
  [
    "a base URL of another kind",
    upstream(`${OPENAI}, base_url: "https://a.example"`),
    "2:57: base_url of an OpenAI kind ends in /v1.",
  ],
  [
    "a user in the base URL",
    upstream(`${OPENAI}, base_url: "https://u:p@a.example/v1"`),
    "2:57: base_url must not hold a user name or password",
  ],
  [
    "options of another kind",
    upstream(`${OPENAI}, options: {methods: [GET]}`),
    "2:56: options.methods is for providers of kind http.",
  ],
  [
    "an unknown option",
    upstream(`${OPENAI}, options: {cafile: /a}`),
    '2:57: "cafile" is not a field of options (did you mean "ca_file"?)',
  ],
  [
    "a literal credential",
    upstream(`${OPENAI}, credential: ${key}`),
    "2:59: credential: a credential has no place in this file",
  ],
  [
    "a literal among credentials",
    upstream(`${OPENAI}, credentials: [{secret: a}, ${key}]`),
    "2:74: credentials: a credential has no place in this file",
  ],
  [
    "a literal as a variable's name",
    upstream(`${OPENAI}, credential: {env: ${key}}`),
    "2:65: credential.env: must be the name of an environment variable",
  ],
  [
    "a literal as a field",
    upstream(`${OPENAI}, credential: {value: ${key}}`),
    "2:59: credential: a credential has no place in this file",
  ],
  [
    "credential and credentials",
    upstream(`${OPENAI}, credential: {secret: a}, credentials: []`),
    "2:59: credential and credentials are both here; keep one",
  ],
];

test.each(MISTAKES)("[I1][N6] %s is a problem with its place and its own words", (_, text, ...expected) => {
  const found = problemsOf(`resources:\n${text}`);
  expect(
    found.map((line, index) => (line.startsWith(expected[index] ?? "?") ? expected[index] : line)),
  ).toEqual(expected);
  expect(found.join("\n")).not.toContain(key);
});

test("[I1] resources that are no mapping are one problem", () => {
  expect(problemsOf("resources: [a]\n")).toEqual(["1:12: resources must be a mapping of name to resource"]);
});

test("[N6] every problem of every kind comes at once, in the order of the file, with those of the settings", () => {
  const text = `resources:
  ci:
    resource_type: Identity
    permisions: gateway
    credential: { api_key: nonsense! }
  web:
    resource_type: HttpServer
    listen_addr: "0.0.0.0:1"
    auth: [ic]
    tls: on
  up: { resource_type: Provider, kind: opena }
settings:
  log_levl: info
`;
  const places = problemsOf(text).map((line) => line.split(": ")[0]);
  expect(places).toEqual(["2:3", "4:5", "5:28", "9:12", "10:10", "11:40", "13:3"]);
});

test("[N6] a problem below an alias is told where the text stands", () => {
  const text = `resources:
  a: { resource_type: PermissionSet, allow: &rules [gateway.use, nothing.at] }
  b: { resource_type: PermissionSet, allow: *rules }
`;
  expect(problemsOf(text).map((line) => line.split(": ")[0])).toEqual(["2:66", "2:66"]);
});

const SECRETS: readonly [string, (secret: string) => string][] = [
  ["the name of a resource", (secret) => `  ${secret}: {}\n`],
  ["a name that is used", (secret) => identity("a", `permissions: [${secret}]`)],
  ["resource_type", (secret) => `  a: {resource_type: ${secret}}\n`],
  ["a field", (secret) => set(`${secret}: 1`)],
  ["a field below", (secret) => identity("a", `permissions: gateway, limits: {${secret}: 1}`)],
  ["a rule", (secret) => set(`allow: ["${secret}"]`)],
  ["a rule's pattern", (secret) => set(`allow: ["usage.read:${secret}"]`)],
  ["a hash", (secret) => identity("a", "permissions: gateway", secret)],
  ["a credential", (secret) => upstream(`${OPENAI}, credential: ${secret}`)],
  ["a source of a credential", (secret) => upstream(`${OPENAI}, credential: {${secret}: a}`)],
  ["a file's path", (secret) => upstream(`${OPENAI}, credential: {file: ${secret}}`)],
  ["a base URL", (secret) => upstream(`${OPENAI}, base_url: "https://${secret}@a.example/v1"`)],
  ["an option", (secret) => upstream(`${OPENAI}, options: {proxy: ${secret}}`)],
  ["a header", (secret) => upstream(`${OPENAI}, options: {extra_headers: {"${secret} x": "é"}}`)],
  ["auth", (secret) => listener(`${LOCAL}, auth: [${secret}]`)],
  ["an address", (secret) => listener(`listen_addr: ${secret}, auth: [keys]`)],
  ["tls", (secret) => listener(`${LOCAL}, auth: [keys], tls: ${secret}`)],
  [
    "an id used twice",
    (secret) =>
      `${identity("a", `permissions: gateway, id: ${secret}`)}${identity("b", `permissions: gateway, id: ${secret}`)}`,
  ],
  [
    "a name used twice",
    (secret) => `${identity(secret)}${identity("b", `permissions: gateway, id: ${secret}`)}`,
  ],
];

test.each(SECRETS)("[N6] a secret put in place of %s is not repeated", (_, make) => {
  const texts = [
    key,
    systemRandom.bytes(24).toString("hex"),
    systemRandom.bytes(24).toString("base64url").replaceAll(/[-_]/g, "x"),
    `ghp_${systemRandom.bytes(18).toString("hex")}`,
  ];
  for (const secret of texts) {
    const read = declare(`resources:\n${make(secret)}`);
    expect("text" in read && read.text).toMatch(/:2:|:3:/);
    expect("text" in read && read.text).not.toContain(secret);
  }
});

test("[I9] [N6] a thirty-third slow hash is a problem, whichever kind the first ones are of", () => {
  const phc = (at: number) => {
    const salt = Buffer.from(`salt-of-${at}-padding`).toString("base64").replace(/=+$/, "");
    return Buffer.from(`$argon2id$v=19$m=4096,t=1,p=1$${salt}$${"A".repeat(43)}`).toString("base64");
  };
  const identity = (at: number) =>
    `  id-${at}: {resource_type: Identity, credential: {api_key: "${phc(at)}"}, permissions: []}\n`;
  const yaml = (count: number) =>
    `resources:\n${Array.from({ length: count }, (_, at) => identity(at)).join("")}`;
  expect(problemsOf(yaml(32))).toEqual([]);
  expect(problemsOf(yaml(33))).toEqual([expect.stringMatching(/^34:\d+: at most 32 identities/)]);
});
