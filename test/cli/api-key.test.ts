import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { claviger, scratch, serve } from "../start/process.ts";

vi.setConfig({ testTimeout: 100_000 });

/** A server, and the commands that speak to it. */
async function begin() {
  const stack = new AsyncDisposableStack();
  const place = stack.adopt(scratch(), (made) => made[Symbol.dispose]());
  const server = stack.use(await serve(place.path));
  const run = (args: readonly string[], input?: string) =>
    claviger(["api-key", ...args, "--data-dir", place.path], input === undefined ? {} : { input });
  const parsed = async (args: readonly string[], input?: string) => {
    const ended = await run([...args, "--json"], input);
    expect(ended.status, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout);
  };
  const use = async (key: string) =>
    (await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
  return { run, parsed, use, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("[H3] [I10] create with every term, show by name and by id, for people and as JSON", async () => {
  await using begun = await begin();
  const { run, parsed, use } = begun;
  const terms = [
    "--models",
    "sim/*",
    "x/search",
    "--allowed-ips",
    "127.0.0.0/8",
    "::1",
    "--concurrency",
    "3",
  ];
  const madeAt = Date.now();
  const made = await parsed(["create", "whole", ...terms, "--expires-in", "30d"]);
  expect(made).toMatchObject({
    name: "whole",
    models: ["sim/*", "x/search"],
    allowed_ips: ["127.0.0.0/8", "::1"],
    limits: { concurrency: 3 },
  });
  const endsIn = Date.parse(made.expires_at) - madeAt - 30 * 86_400_000;
  expect(endsIn).toBeGreaterThanOrEqual(0);
  expect(endsIn).toBeLessThan(60_000);
  expect(await use(made.key)).toBe(200);
  const { key, ...row } = made;
  for (const named of ["whole", made.id])
    expect(await parsed(["show", named])).toMatchObject({
      ...row,
      last_used_at: expect.any(String),
      last_address: "127.0.0.1",
    });
  const shown = await run(["show", "whole"]);
  expect(shown.stdout).toMatch(/^id: +key_\w{12}\nname: +whole\nkey: +sk-claviger-\w+…\w{4}\n/);
  expect(shown.stdout).toContain(`addresses:    127.0.0.0/8 ::1\n`);
  expect(shown.stdout).not.toContain(key);
  expect((await run(["create", "text"])).stdout).toMatch(/^sk-claviger-\w+_\w{49}\n\nThis is the only time/);
});

test("[H3] update: terms are given and unset, what is not named stays", async () => {
  await using begun = await begin();
  const { parsed, use } = begun;
  const { key } = await parsed(["create", "changing", "--requests-per-minute", "1"]);
  await parsed(["update", "changing", "--allowed-ips", "10.0.0.1", "--expires-at", "2099-01-01T00:00:00Z"]);
  expect(await use(key)).toBe(401);
  const change = ["--unset", "allowed-ips", "requests-per-minute", "--concurrency", "2", "--name", "changed"];
  expect(await parsed(["update", "changing", ...change])).toMatchObject({
    name: "changed",
    allowed_ips: null,
    limits: { concurrency: 2 },
    expires_at: "2099-01-01T00:00:00.000Z",
  });
  expect([await use(key), await use(key)]).toEqual([200, 200]);
  const none = await parsed([
    "update",
    "changed",
    "--permissions",
    "viewer",
    "--unset",
    "concurrency",
    "expires-at",
  ]);
  expect(none).toMatchObject({ permissions: ["viewer"], limits: {}, expires_at: null });
});

test("[I12] rotate: the new key on the first line, the old one until its end, and then a second time not", async () => {
  await using begun = await begin();
  const { run, parsed, use } = begun;
  const old = await parsed(["create", "walker"]);
  const rotated = await run(["rotate", "walker", "--overlap", "1h"]);
  expect(rotated.status, rotated.stderr).toBe(0);
  const [next = "", , , words] = rotated.stdout.split("\n");
  expect(words).toMatch(
    /^The old one \(key_\w+\) is called walker-until-\w+ now and is valid until 20\S+Z\.$/,
  );
  expect([await use(old.key), await use(next)]).toEqual([200, 200]);
  expect((await run(["rotate", old.id])).status).toBe(EXIT.data);
  await parsed(["rotate", "walker", "--overlap", "0"]);
  expect([await use(old.key), await use(next)]).toEqual([200, 401]);
});

test("[I17] revoke --leaked: the key on stdin, never in the command", async () => {
  await using begun = await begin();
  const { run, parsed, use } = begun;
  const { id, key } = await parsed(["create", "leaky"]);
  await use(key);
  for (const wrong of [["revoke"], ["revoke", "--leaked", key], ["revoke", key], ["show", key]]) {
    const refused = await run(wrong, "");
    expect([wrong[1], refused.status]).toEqual([wrong[1], EXIT.usage]);
    expect(refused.stdout + refused.stderr).not.toContain(key);
  }
  expect(await use(key)).toBe(200);
  const ended = await run(["revoke", "--leaked"], `${key}\n`);
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout).toMatch(/^key leaky revoked\n/);
  expect(ended.stdout).toMatch(/\nlast used: +20\S+Z from 127\.0\.0\.1\n/);
  expect(ended.stdout).toMatch(/\nits last requests:\n {2}20\S+Z {2}200 {2}\S+\n/);
  expect(ended.stdout).not.toContain(key);
  expect(await use(key)).toBe(401);
  expect(await parsed(["revoke", "--leaked"], key)).toMatchObject({
    key: { id, name: "leaky" },
    requests: [{ status: 200 }, { status: 200 }],
  });
  expect((await run(["revoke", "--leaked"], `${key.slice(0, -1)}\n`)).status).toBe(EXIT.data);
});

test("[H3] a name, too, is revoked; wrong values end with their status and what is wrong", async () => {
  await using begun = await begin();
  const { run, parsed } = begun;
  await parsed(["create", "brief"]);
  expect((await run(["revoke", "brief"])).status).toBe(0);
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["revoke", "brief"], EXIT.data, /no key in force is called brief/],
    [["show", "key_000000000000"], EXIT.data, /key_000000000000/],
    [["create", "x", "--expires-at", "2020-01-01T00:00:00Z"], EXIT.data, /in the past/],
    [["create", "x", "--expires-in", "soon"], EXIT.usage, /30d/],
    [["create", "x", "--expires-in", "1d", "--expires-at", "2099-01-01T00:00:00Z"], EXIT.usage, /not both/],
    [["create", "x", "--allowed-ips", "10.0.0.256"], EXIT.data, /10\.0\.0\.256/],
    [["update", "x"], EXIT.usage, /nothing to change/],
    [["update", "x", "--unset", "colour"], EXIT.usage, /colour/],
  ];
  for (const [args, status, words] of cases) {
    const refused = await run(args);
    expect([args, refused.status]).toEqual([args, status]);
    expect(refused.stderr).toMatch(words);
  }
});

test("[H3] [D2] list: sorted, searched, by state and no more than asked for; what is none of these is told", async () => {
  await using begun = await begin();
  const { run, parsed } = begun;
  for (const name of ["beta", "Alpha", "gamma"]) await parsed(["create", name]);
  await parsed(["revoke", "gamma"]);
  const names = async (...flags: string[]) =>
    (await parsed(["list", ...flags])).map(({ name }: { name: string }) => name);
  expect(await names()).toEqual(["gamma", "Alpha", "beta"]);
  expect(await names("--sort", "name")).toEqual(["Alpha", "beta", "gamma"]);
  expect(await names("--sort", "-name", "--state", "in_force")).toEqual(["beta", "Alpha"]);
  expect(await names("--state", "revoked")).toEqual(["gamma"]);
  expect(await names("--search", "ALPH")).toEqual(["Alpha"]);
  expect(await names("--sort=-name", "--limit", "1")).toEqual(["gamma"]);
  const cut = await run(["list", "--limit", "2"]);
  expect([cut.stdout.split("\n").length, cut.stderr]).toEqual([
    4,
    "There are more than these 2: --limit takes another number.\n",
  ]);
  for (const wrong of [
    ["--sort", "age"],
    ["--state", "alive"],
    ["--limit", "0"],
  ]) {
    const refused = await run(["list", ...wrong]);
    expect([refused.status, refused.stdout]).toEqual([EXIT.usage, ""]);
    expect(refused.stderr).toMatch(/last_used_at|in_force|whole number from 1/);
  }
});
