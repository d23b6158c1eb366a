import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { freshPin } from "#test/cluster-credentials.ts";
import { bearing } from "#test/keys/key-calls.ts";
import { readCredentials } from "../../src/services/cluster/credential-files.ts";
import { credentialsOf } from "./cluster-files.ts";
import { statusComes } from "./member-calls.ts";

/** Begins a cluster; what its files hold. */
async function begun(claviger: TestClaviger) {
  const body = { pin: freshPin().expose() };
  const { status, text } = await claviger.control({ method: "POST", path: "/api/v1/cluster/init", body });
  expect(status).toBe(201);
  const kept = readCredentials(credentialsOf(claviger.dataDir));
  if (kept.status !== "member") throw new Error(`the cluster is ${kept.status}`);
  return { ...kept.credentials, text };
}

/** Each way in which bytes are written. */
const spellings = (bytes: Buffer) =>
  (["base64url", "base64", "hex", "latin1"] as const).map((coding) => bytes.toString(coding));

test("[C3] the salt is 256 bits, another one for each cluster, and no answer of the server nor its log has it, nor what else a PIN is tried with", async () => {
  await using claviger = await startClaviger({ env: { LOG_LEVEL: "trace" } });
  await using other = await startClaviger();
  const { salt, pepper, opaque, memberToken, text } = await begun(claviger);
  expect(salt).toHaveLength(32);
  expect(salt.equals((await begun(other)).salt)).toBe(false);
  await statusComes(claviger, memberToken.expose(), 200);
  const answers = [text];
  const reads = claviger.app.routes().filter(({ method, path }) => method === "GET" && path !== "/sse");
  for (const { path } of reads) {
    answers.push((await claviger.control({ path })).text);
    // With a token that was stolen.
    answers.push((await claviger.call({ path, headers: bearing(memberToken.expose()) })).text);
  }
  expect(answers.some((answer) => answer.includes('"status":"member"'))).toBe(true);
  const everything = [...answers, claviger.logged()].join("\n");
  for (const secret of [
    ...spellings(salt),
    ...spellings(Buffer.from(pepper.expose(), "base64url")),
    ...[pepper.expose(), opaque.serverSetup.expose(), opaque.record],
  ])
    expect(everything.includes(secret)).toBe(false);
});

test("[C3] the threat model says that who copies a member's credential directory is a member", () => {
  const page = readFileSync(new URL("../../docs/threat-model.md", import.meta.url), "utf8");
  expect(page).toMatch(/The directory `credentials\/` of a cluster's member:\* who copies it is a member\./);
});
