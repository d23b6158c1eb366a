import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { newPair } from "#test/reload/file.ts";
import { bearing } from "./key-calls.ts";

const DAY_MS = 24 * 60 * 60_000;

test("[D2] [I16] the identities of the file are sorted, searched, filtered by their sets, and come page by page", async () => {
  const clock = new FakeClock();
  const pairs = new Map(["till", "Office", "shop"].map((name) => [name, newPair()]));
  const identity = (name: string, more: object) => ({
    resource_type: "Identity",
    credential: { api_key: pairs.get(name)?.hash },
    permissions: "gateway",
    ...more,
  });
  const yaml = JSON.stringify({
    resources: {
      till: identity("till", { id: "counter-1" }),
      Office: identity("Office", { permissions: "viewer" }),
      shop: identity("shop", { expires_at: new Date(clock.now() + DAY_MS).toISOString() }),
      server: { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: [...pairs.keys()] },
    },
  });
  await using server = await startClaviger({ clock, listen: [], yaml });
  const list = async (asked: Record<string, string> = {}) => {
    const path = `/api/v1/identities?${new URLSearchParams(asked)}`;
    const { status, json } = await server.control({ path });
    const { data = [], next_cursor: next, code } = Object(json);
    return { status, code, names: data.map(({ name }: { name: string }) => name), next };
  };
  expect((await list()).names).toEqual(["Office", "shop", "till"]);
  expect((await list({ sort: "-name" })).names).toEqual(["till", "shop", "Office"]);
  expect((await list({ sort: "-expires_at" })).names).toEqual(["shop", "Office", "till"]);
  for (const name of ["till", "shop"]) {
    clock.advance(1000);
    const headers = bearing(pairs.get(name)?.key ?? "");
    expect((await server.call({ path: "/v1/models", headers })).status).toBe(200);
  }
  expect((await list({ sort: "last_used_at" })).names).toEqual(["till", "shop", "Office"]);
  expect((await list({ sort: "-last_used_at" })).names).toEqual(["shop", "till", "Office"]);
  expect((await list({ search: "OFF" })).names).toEqual(["Office"]);
  expect((await list({ search: "counter" })).names).toEqual(["till"]);
  expect((await list({ permission_set: "viewer" })).names).toEqual(["Office"]);
  const first = await list({ limit: "2" });
  const second = await list({ limit: "2", cursor: first.next });
  expect([first.names, second.names, second.next]).toEqual([["Office", "shop"], ["till"], null]);
  for (const asked of [
    { sort: "age" },
    { limit: "0" },
    { cursor: "x" },
    { sort: "-name", cursor: first.next },
  ])
    expect(await list(asked)).toMatchObject({ status: 400, code: "bad_request" });
});
