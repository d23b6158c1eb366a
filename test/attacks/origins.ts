import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { firstPerson, freshPassword, type Person } from "../people/person.ts";
import { type Outcome, Tally } from "./outcome.ts";

const ENCODINGS = [
  "application/json",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=b",
];

/** Origins that are not the server's, however alike. */
function foreignOrigins(own: string): string[] {
  const { port } = new URL(own);
  return [
    "null",
    "",
    "https://evil.example",
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    `https://127.0.0.1:${port}`,
    `ws://127.0.0.1:${port}`,
    `http://localhost:${port}`,
    `http://[::1]:${port}`,
    `http://127.1:${port}`,
    `http://2130706433:${port}`,
    `http://127.0.0.1.:${port}`,
    `http://127.0.0.1.evil.example:${port}`,
    `http://sub.127.0.0.1.evil.example:${port}`,
    `http://127.0.0.1:${port}.evil.example`,
    `http://127.0.0.1:${port}@evil.example`,
    `http://user@127.0.0.1:${port}`,
    `${own}/`,
    `${own}0`,
    `${own}, https://evil.example`,
    `https://evil.example, ${own}`,
    `${own} https://evil.example`,
    "file://",
    "chrome-extension://abcdefghijklmnop",
    "data:text/html,x",
    "about:blank",
  ];
}

/** The heads of requests that a page of another origin may cause. */
function foreignHeads(own: string): Record<string, string>[] {
  const sites = ["cross-site", "same-site", "", "garbage", "same-origin, cross-site", "SAME-ORIGIN"];
  const all = [undefined, "same-origin", "none", ...sites];
  const heads = foreignOrigins(own).flatMap((origin) =>
    all.map((site) => ({ origin, ...(site === undefined ? {} : { "sec-fetch-site": site }) })),
  );
  return [
    ...heads,
    ...sites.flatMap((site) => [{ "sec-fetch-site": site }, { "sec-fetch-site": site, origin: own }]),
  ];
}

/** Requests with somebody's cookie from other origins: what each would do, and that nothing was done. */
export async function tryOrigins(): Promise<Outcome[]> {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const next = freshPassword();
  const calls = [
    { method: "POST", path: "/api/v1/keys", body: { name: "planted", permissions: ["superadmin"] } },
    {
      method: "PUT",
      path: "/api/v1/me/password",
      body: { current_password: own.password, new_password: next },
    },
    { method: "DELETE", path: "/api/v1/me/sessions" },
    { method: "POST", path: "/api/v1/key/initialize", body: { key: next } },
    {
      method: "POST",
      path: "/api/v1/users",
      body: { username: "planted", password: next, permissions: ["superadmin"] },
    },
    { method: "POST", path: "/logout" },
    { method: "POST", path: "/login/password", body: { password: own.password } },
    { path: "/api/v1/me" },
    { path: "/api/v1/backup" },
    { path: "/api/v1/openapi.json" },
  ];
  const before = await worldOf(server, own);
  const tally = new Tally("request with the cookie from a page of another origin");
  for (const headers of foreignHeads(server.url))
    for (const call of calls)
      tally.add(`${call.path} ${JSON.stringify(headers)}`, await own.call({ ...call, headers }));
  const forms = new Tally("form of another encoding, its origin unsaid");
  for (const encoding of ENCODINGS.slice(1))
    for (const { method, path, body } of calls)
      if (method !== undefined && body !== undefined)
        forms.add(
          path,
          await own.call({ method, path, body: JSON.stringify(body), headers: { "content-type": encoding } }),
        );
  if ((await worldOf(server, own)) !== before) throw new Error("something was changed");
  return [tally.outcome, forms.outcome];
}

/** Whatever such a request could change, as text. */
export async function worldOf(server: Pick<TestClaviger, "control">, own: Person): Promise<string> {
  const sessions = await own.call({ path: "/api/v1/me/sessions" });
  const audit = await server.control({ path: "/api/v1/audit?outcome=success&limit=1" });
  const lists = [];
  for (const path of ["/api/v1/keys", "/api/v1/users", "/api/v1/key/status"])
    lists.push((await server.control({ path })).text);
  const { data } = Object(sessions.json);
  return [...lists, Object(data).length, audit.text].join("\n");
}
