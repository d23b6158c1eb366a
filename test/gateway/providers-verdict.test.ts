import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";

const PATH = "/api/v1/providers";
const reasonOf = (json: unknown) => z.object({ detail: z.string() }).parse(json).detail;
const providerAt = (base_url: string) => ({ name: "sim", kind: "http", base_url, credentials: [] });

/** What a person might enter, and each of it leads where this server does not connect. */
const DENIED = [
  "http://169.254.169.254/v1",
  "http://169.254.170.2/v1",
  "http://2852039166/v1",
  "http://0xa9.0xfe.0xa9.0xfe/v1",
  "http://0251.0376.0251.0376/v1",
  "http://169.254.43518/v1",
  "http://[::ffff:169.254.169.254]/v1",
  "http://[64:ff9b::a9fe:a9fe]/v1",
  "http://[fd00:ec2::254]/v1",
  "http://[fe80::1]/v1",
  "http://metadata.google.internal/v1",
  "http://METADATA.google.internal./v1",
  "http://100.100.100.200/v1",
  "http://168.63.129.16/v1",
  "http://0.0.0.0/v1",
  "http://[::]/v1",
  "http://224.0.0.1/v1",
  "http://255.255.255.255/v1",
  "http://１６９.254.169.254/v1",
  "http:\\\\127.0.0.1\\v1",
  "http://127.0.0.1\t/v1",
];

test("[E5] [E1] a denied base URL is 400 on creation and on change, with the reason, audited, and nothing is changed", async () => {
  await using claviger = await startClaviger();
  const own = `${claviger.url}/v1`;
  const good = "http://127.0.0.1:9/v1";
  await claviger.addProvider("good", good);
  for (const url of [...DENIED, own]) {
    const made = await claviger.control({ method: "POST", path: PATH, body: providerAt(url) });
    expect(made, url).toMatchObject({ status: 400, json: { code: "base_url_denied" } });
    expect(reasonOf(made.json).length).toBeGreaterThan(20);
    const body = { base_url: url, credentials: [] };
    const changed = await claviger.control({ method: "PATCH", path: `${PATH}/good`, body });
    expect(changed.status, url).toBe(400);
  }
  const proxy = { options: { proxy: "http://169.254.169.254:80" }, credentials: [] };
  expect(await claviger.control({ method: "PATCH", path: `${PATH}/good`, body: proxy })).toMatchObject({
    status: 400,
    json: { code: "base_url_denied" },
  });
  const list = await claviger.control({ path: PATH });
  expect(list.json).toMatchObject({ data: [{ name: "good", base_url: good }] });
  const { data } = z
    .object({
      data: z.array(z.object({ action: z.string(), target: z.string().nullable(), outcome: z.string() })),
    })
    .parse((await claviger.control({ path: "/api/v1/audit?limit=1000" })).json);
  const failures = data.filter(({ outcome }) => outcome === "failure");
  expect(failures.filter(({ target }) => target === "sim")).toHaveLength(DENIED.length + 1);
  expect(failures.filter(({ target }) => target === "good")).toHaveLength(DENIED.length + 2);
});

test("[E5] [E2] what was saved before it was denied gets the verdict of saving in test, model list and call", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "claviger-verdict-"));
  try {
    await using before = await startClaviger({ dataDir });
    for (const name of ["cloud", "self"]) await before.addProvider(name, "http://127.0.0.1:9/v1");
    await before.app.close();
    moveProvider(dataDir, "cloud", "http://169.254.169.254/v1");
    await using claviger = await startClaviger({ dataDir });
    await sameVerdict(claviger, "cloud", "http://169.254.169.254/v1");
    await claviger.app.close();
    const port = new URL(claviger.url).port;
    moveProvider(dataDir, "self", `http://localhost:${port}/v1`);
    await using again = await startClaviger({ dataDir, listen: [`127.0.0.1:${port}`] });
    await sameVerdict(again, "self", `http://localhost:${port}/v1`);
    await again.app.close();
    using database = new DatabaseSync(join(dataDir, "db/data.sqlite"), { readOnly: true, timeout: 5000 });
    const rows = database
      .prepare(
        "SELECT target, outcome, sum(count) AS count FROM audit WHERE action = 'egress.connect' GROUP BY 1, 2",
      )
      .all();
    expect(rows.map(({ target, outcome }) => [target, outcome])).toEqual([
      ["http://169.254.169.254", "denied"],
      [`http://localhost:${port}`, "denied"],
    ]);
    expect(rows.every(({ count }) => Number(count) >= 3)).toBe(true);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** As another version, or another network, would have left it. */
function moveProvider(dataDir: string, name: string, baseUrl: string): void {
  using database = new DatabaseSync(join(dataDir, "db/data.sqlite"), { timeout: 5000 });
  database.prepare("UPDATE provider SET base_url = ? WHERE name = ?").run(baseUrl, name);
}

async function sameVerdict(claviger: TestClaviger, name: string, baseUrl: string): Promise<void> {
  const saved = await claviger.control({ method: "POST", path: PATH, body: providerAt(baseUrl) });
  expect(saved).toMatchObject({ status: 400, json: { code: "base_url_denied" } });
  const reason = reasonOf(saved.json);
  const tested = await claviger.control({ method: "POST", path: `${PATH}/${name}/test` });
  expect(tested).toMatchObject({ status: 200, json: { ok: false, error: reason } });
  const listed = await claviger.control({ path: "/v1/models" });
  expect(JSON.stringify(listed.json)).not.toContain(`${name}/`);
  const called = await claviger.control({
    method: "POST",
    path: "/v1/chat/completions",
    body: { model: `${name}/any`, messages: [{ role: "user", content: "hello" }] },
  });
  expect(called).toMatchObject({ status: 502, json: { error: { code: "egress_denied", message: reason } } });
}
