import { createDecipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { openPinChange, sealPinChange } from "./pin-change.ts";

const text = readFileSync(new URL("../../../../docs/formats/pin-change.md", import.meta.url), "utf8");
const vector = new Map(
  [...text.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(([, name, value]) => [name, value]),
);
const field = (name: string) => vector.get(name) ?? expect.fail(`no field ${name}`);
const random = seededRandom(12);
const way = { clusterId: field("cluster id"), from: field("caller"), to: field("callee") };
const before = { ...madeUpCredentials(), clusterId: way.clusterId };
const now = { ...madeUpCredentials(), clusterId: way.clusterId, epoch: 3, pinGeneration: 9 };

test("[C9] a change of the PIN is sealed as the document says, whoever reads it", () => {
  const bytes = Buffer.from(field("sealed"), "base64url");
  const info = "claviger cluster pin change 1";
  const key = Buffer.from(hkdfSync("sha256", Buffer.from(field("old token"), "base64url"), "", info, 32));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
  const framed = ["claviger cluster pin change", "1", way.clusterId, way.from, way.to].map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return Buffer.concat([length, Buffer.from(part)]);
  });
  decipher.setAAD(Buffer.concat(framed));
  decipher.setAuthTag(bytes.subarray(-16));
  const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString();
  const files = JSON.parse(plain);
  expect(Object.keys(files).toSorted()).toEqual(["cluster.json", "pin_derived_key", "pin_hash"]);
  expect([files.pin_hash, files.pin_derived_key]).toEqual([
    `${field("pin hash")}\n`,
    `${field("new token")}\n`,
  ]);
  expect(JSON.parse(files["cluster.json"])).toEqual({
    version: 1,
    cluster_id: way.clusterId,
    salt: field("salt"),
    epoch: Number(field("epoch")),
    pin_generation: Number(field("pin generation")),
    iterations: Number(field("iterations")),
    pepper: field("pepper"),
    opaque: { server_setup: field("server setup"), record: field("record") },
  });
  const { nodeKey } = before;
  const opened = openPinChange(
    { nodeKey, memberToken: new Secret(field("old token")) },
    field("sealed"),
    way,
  );
  expect(opened).toMatchObject({ pinGeneration: 2, pinHash: field("pin hash"), nodeKey });
});

test("[C9] with the token before it gives all but the node's own key, which stays", () => {
  const sealed = sealPinChange(before.memberToken, now, way, random);
  expect(openPinChange(before, sealed, way)).toEqual({ ...now, nodeKey: before.nodeKey });
  expect(sealed).not.toContain(now.memberToken.expose());
});

test("[C9] nobody reads it, or is believed, without that token, on another way, or with a byte changed", () => {
  const sealed = sealPinChange(before.memberToken, now, way, random);
  const others = [
    openPinChange({ ...before, memberToken: now.memberToken }, sealed, way),
    openPinChange(before, sealed, { ...way, from: way.to, to: way.from }),
    openPinChange(before, sealed, { ...way, from: "node_cccccccccccccccc" }),
    openPinChange(before, sealed, { ...way, clusterId: "cluster_0000000000000002" }),
    openPinChange(before, "", way),
  ];
  expect(others).toEqual(others.map(() => undefined));
  const bytes = Buffer.from(sealed, "base64url");
  for (let at = 0; at < bytes.length; at += 1) {
    const wrong = Buffer.from(bytes);
    wrong.writeUInt8((wrong.readUInt8(at) + 1) % 256, at);
    expect(openPinChange(before, wrong.toString("base64url"), way), `byte ${at}`).toBeUndefined();
  }
});

test("[C9] files of another cluster, or that a cluster does not write, are no change of this one's PIN", () => {
  const foreign = { ...now, clusterId: "cluster_0000000000000002" };
  expect(openPinChange(before, sealPinChange(before.memberToken, foreign, way, random), way)).toBeUndefined();
  const weak = { ...now, iterations: 1000 };
  expect(openPinChange(before, sealPinChange(before.memberToken, weak, way, random), way)).toBeUndefined();
});
