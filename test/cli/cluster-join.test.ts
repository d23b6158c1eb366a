import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startAnswer } from "#services/cluster/join/messages.ts";
import { firstMessage } from "#test/cluster/hand-joiner.ts";
import { newPin, sendStep, tlsKeyOf } from "#test/cluster/member.ts";
import { claviger, Served, scratch, serve } from "#test/start/process.ts";

vi.setConfig({ testTimeout: 120_000 });

const pin = newPin();
const token = (dataDir: string) =>
  readFileSync(join(dataDir, "etc", "credentials", "pin_derived_key"), "utf8");
const YAML =
  'resources: { lan: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys, cluster], tls: auto } }\n';

/** A server whose file declares a TLS listener for members. */
async function serveMember(dataDir: string): Promise<Served> {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, "..", "member.yaml");
  writeFileSync(file, YAML, { mode: 0o600 });
  const served = new Served(["serve", "--data-dir", dataDir, "--config", file], {}, { deadlineMs: 100_000 });
  const [, url = ""] = await served.says(/listens on (https:\/\/\S+)/);
  served.url = url;
  return served;
}

test("[C4] `cluster join` takes the PIN from stdin and makes a member; 2, 3 and 4 say what was wrong; `cluster open` opens anew", async () => {
  using there = scratch();
  using here = scratch();
  await using member = await serveMember(there.path);
  await using _joiner = await serve(here.path);
  const on = (place: { readonly path: string }, words: readonly string[], input = "") =>
    claviger(["cluster", ...words, "--data-dir", place.path], { input });
  const join = (url: string, typed: string) => on(here, ["join", url], `${typed}\n`);
  const none = await on(there, ["open"]);
  expect([none.status, none.stderr]).toEqual([EXIT.tryAgain, expect.stringContaining("in no cluster")]);
  expect((await on(there, ["init"], `${pin}\n`)).status).toBe(EXIT.ok);
  for (const url of [member.url.replace("https:", "http:"), `${member.url}/path`, "https://a@b"])
    expect((await join(url, pin)).status, url).toBe(EXIT.refusedValue);
  expect((await join(member.url, "1234")).status).toBe(EXIT.refusedValue);
  const wrong = await join(member.url, newPin());
  expect([wrong.status, wrong.stdout]).toEqual([EXIT.wrongPin, ""]);
  expect(wrong.stderr).toContain("The PIN is not the cluster's");
  const joined = await join(member.url, pin);
  // Nobody can be asked here, and nothing is written unasked.
  expect([joined.status, joined.stderr]).toEqual([
    EXIT.ok,
    expect.stringMatching(/^No listener speaks TLS.*--yes/),
  ]);
  expect(joined.stdout).toMatch(/^this server is a member of cluster_\w{16}\n$/);
  expect(token(here.path)).toBe(token(there.path));
  expect(EXIT.wrongPin).toBe(3);
});

test("[C5] 20 runs that nobody ended close joining, kill -9 and starts between them or not, until the owner opens it", async () => {
  using place = scratch();
  using here = scratch();
  await using _joiner = await serve(here.path);
  const on = (words: readonly string[], input = "") =>
    claviger(["cluster", ...words, "--data-dir", place.path], { input });
  /** Begins a run, and ends it with nothing proven unless it is to last. */
  const spend = async (url: string, lasts = false) => {
    const certificate = readFileSync(join(place.path, "etc", "certs", "claviger.crt"));
    const { body } = await firstMessage(newPin(), tlsKeyOf(certificate));
    const { status, json } = await sendStep(url, "start", body);
    if (status !== 200) return Object.getOwnPropertyDescriptor(json, "code")?.value;
    const { run_id } = startAnswer.parse(json);
    if (!lasts) await sendStep(url, "finish", { run_id, finish: "", node: "", confirm: "" });
    return status;
  };
  {
    await using member = await serveMember(place.path);
    expect((await on(["init"], `${pin}\n`)).status).toBe(EXIT.ok);
    for (let run = 0; run < 8; run += 1) expect(await spend(member.url)).toBe(200);
    expect(await spend(member.url, true)).toBe(200);
    await member.kill("SIGKILL");
  }
  await using member = await serveMember(place.path);
  const answers: unknown[] = [];
  for (let run = 0; run < 14; run += 1) answers.push(await spend(member.url));
  expect(answers).toEqual([...Array(11).fill(200), ...Array(3).fill("joining_closed")]);
  const tryToJoin = () =>
    claviger(["cluster", "join", member.url, "--data-dir", here.path], { input: `${pin}\n` });
  const closed = await tryToJoin();
  expect([closed.status, closed.stderr]).toEqual([4, expect.stringContaining("claviger cluster open")]);
  expect((await on(["open"])).stdout).toMatch(/^joining is open until 2.*, for 20 tries\n$/);
  expect((await tryToJoin()).status).toBe(EXIT.ok);
});
