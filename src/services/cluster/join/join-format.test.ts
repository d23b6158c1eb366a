import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { Secret } from "#platform/lib/secret.ts";
import { memberRecord } from "../members/member-record.ts";
import { openGrant, sealGrant } from "./grant.ts";
import { joinerProof, joinKeys, memberProof } from "./key-schedule.ts";
import { transcriptHash } from "./transcript.ts";

const memberList = z.array(memberRecord);
const text = readFileSync(new URL("../../../../docs/formats/cluster-join.md", import.meta.url), "utf8");
const vectors = text
  .split("### Vector ")
  .slice(1)
  .map((section) => new Map([...section.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(fieldOf)));

test("the document has two vectors", () => {
  expect(vectors.map(({ size }) => size)).toEqual([25, 25]);
});

test.each(vectors)("[C3] transcript, keys, proofs and grant are the documented ones, vector %#", (vector) => {
  const field = (name: string) => vector.get(name) ?? expect.fail(`no field ${name}`);
  const said = {
    clusterId: field("cluster id"),
    runId: field("run id"),
    tlsKey: field("tls key"),
    nodeKey: field("node key"),
    request: field("request"),
    response: field("response"),
    finish: field("finish"),
    node: field("node"),
  };
  const transcript = transcriptHash(said);
  expect(transcript.toString("hex")).toBe(field("transcript"));
  const keys = joinKeys(field("session key"));
  for (const use of ["joiner", "member", "grant"] as const)
    expect(keys[use].export().toString("hex"), use).toBe(field(`${use} key`));
  const proof = joinerProof(keys, transcript);
  expect(proof.toString("base64url")).toBe(field("joiner proof"));
  const given = {
    salt: Buffer.from(field("salt"), "base64url"),
    epoch: Number(field("epoch")),
    pinGeneration: Number(field("pin generation")),
    iterations: Number(field("iterations")),
    pepper: new Secret(field("pepper")),
    opaque: { serverSetup: new Secret(field("server setup")), record: field("record") },
    members: memberList.parse(JSON.parse(field("members"))),
  };
  const random = { bytes: () => Buffer.from(field("nonce"), "hex") };
  const grant = sealGrant(keys.grant, transcript, given, random);
  expect(grant.toString("base64url")).toBe(field("grant"));
  expect(memberProof(keys, { transcript, joinerProof: proof, grant }).toString("base64url")).toBe(
    field("member proof"),
  );
  const opened = openGrant(keys.grant, transcript, grant);
  expect(opened.salt.equals(given.salt)).toBe(true);
  expect([opened.pepper.expose(), opened.opaque.serverSetup.expose()]).toEqual([
    field("pepper"),
    field("server setup"),
  ]);
  expect(opened.members).toEqual(given.members);
});

test("[C3] no two transcripts encode alike: what one field loses and its neighbour gains is another hash", () => {
  const said = {
    clusterId: "a",
    runId: "b",
    tlsKey: "c",
    nodeKey: "d",
    request: "ef",
    response: "g",
    finish: "h",
    node: "i",
  };
  const hashes = [
    said,
    { ...said, request: "e", response: "fg" },
    { ...said, runId: "bc", tlsKey: "" },
    { ...said, finish: "hi", node: "" },
  ];
  expect(new Set(hashes.map((each) => transcriptHash(each).toString("hex"))).size).toBe(hashes.length);
});

function fieldOf([, name = "", value = ""]: RegExpMatchArray): [string, string] {
  return [name, value];
}
