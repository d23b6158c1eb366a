import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import {
  calleeProof,
  callerCredential,
  judgeProofs,
  parseCalleeProof,
  parseCallerCredential,
} from "./node-credential.ts";

const text = readFileSync(new URL("../../../../docs/formats/node-call.md", import.meta.url), "utf8");
const vectors = text
  .split("### Vector ")
  .slice(1)
  .map((section) => new Map([...section.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(fieldOf)));
/** What stands before the 32 bytes of a key in its PKCS#8 (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

test("the document has two vectors", () => {
  expect(vectors.map(({ size }) => size)).toEqual([14, 14]);
});

test.each(vectors)("[C7] what both ends of a call send is as documented, vector %#", (vector) => {
  const { caller, callee, call, field } = ends(vector);
  expect(callerCredential(caller, call)).toBe(field("authorization"));
  expect(calleeProof(callee, call, true)).toBe(field("answer to a member"));
  expect(calleeProof(callee, call, false)).toBe(field("answer to another node"));
});

test.each(vectors)("[C7] each end takes what the other sends, vector %#", (vector) => {
  const { caller, callee, call, field } = ends(vector);
  const asked = parseCallerCredential(field("authorization"));
  expect(asked?.callerId).toBe(call.callerId);
  const nodeKey = field("caller node key");
  expect(judgeProofs(callee, { ...call, use: "request" }, { nodeKey, proofs: asked })).toEqual(RIGHT);
  const answers = { nodeKey: field("callee node key"), use: "answer" } as const;
  for (const [name, hasPin] of [
    ["answer to a member", true],
    ["answer to another node", false],
  ] as const) {
    const proofs = parseCalleeProof(field(name));
    const judged = judgeProofs(caller, { ...call, use: answers.use }, { nodeKey: answers.nodeKey, proofs });
    expect(judged).toEqual({ isNode: true, hasPin });
  }
});

test("[C7] a signature holds for its key, its connection, its two nodes, its direction and its cluster alone", () => {
  const { caller, call, field } = ends(vectors[0] ?? new Map());
  const proofs = parseCallerCredential(callerCredential(caller, call));
  const nodeKey = field("caller node key");
  const said = { ...call, use: "request" } as const;
  const judge = (own: typeof caller, other: Parameters<typeof judgeProofs>[1], key: string | undefined) =>
    judgeProofs(own, other, { nodeKey: key, proofs });
  expect(judge(caller, said, nodeKey)).toEqual(RIGHT);
  const others = [
    judge(caller, { ...said, binding: Buffer.alloc(32, 1).toString("base64url") }, nodeKey),
    judge(caller, { ...said, binding: "" }, nodeKey),
    judge(caller, { ...said, callerId: said.calleeId }, nodeKey),
    judge(caller, { ...said, calleeId: "node_0000000000000003" }, nodeKey),
    judge(caller, { ...said, use: "answer" }, nodeKey),
    judge({ ...caller, clusterId: "cluster_0000000000000002" }, said, nodeKey),
    judge(caller, said, field("callee node key")),
    judge(caller, said, undefined),
    judge(caller, said, "no key"),
    judgeProofs(caller, said, { nodeKey, proofs: undefined }),
  ];
  for (const [index, judged] of others.entries()) expect(judged, `${index}`).toEqual(WRONG);
});

test("[C7] with another PIN it is a node all the same, and no member", () => {
  const { caller, call, field } = ends(vectors[0] ?? new Map());
  const proofs = parseCallerCredential(callerCredential(caller, call));
  const memberToken = new Secret(Buffer.alloc(32, 2).toString("base64url"));
  const given = { nodeKey: field("caller node key"), proofs };
  const judged = judgeProofs({ ...caller, memberToken }, { ...call, use: "request" }, given);
  expect(judged).toEqual({ isNode: true, hasPin: false });
});

test("[C7] one bit of the header more or less is another header", () => {
  const { caller, call, field } = ends(vectors[0] ?? new Map());
  const [id = "", signature = "", proof = ""] = (callerCredential(caller, call).split(" ")[1] ?? "").split(
    ".",
  );
  const judged = (header: string) =>
    judgeProofs(
      caller,
      { ...call, use: "request" },
      { nodeKey: field("caller node key"), proofs: parseCallerCredential(header) },
    );
  expect(judged(`claviger-NODE ${id}.${signature}.${proof}`)).toEqual(RIGHT);
  for (const at of [0, 11, 42, 63, 85])
    expect(judged(`Claviger-Node ${id}.${flipped(signature, at)}.${proof}`), `${at}`).toEqual(WRONG);
  for (const at of [0, 20, 42])
    expect(judged(`Claviger-Node ${id}.${signature}.${flipped(proof, at)}`), `${at}`).toEqual({
      isNode: true,
      hasPin: false,
    });
});

test("what no node writes is not read", () => {
  const { caller, call } = ends(vectors[0] ?? new Map());
  const right = callerCredential(caller, call);
  const rest = right.split(" ")[1] ?? "";
  const wrong = [
    "",
    "Claviger-Node",
    `Bearer ${rest}`,
    `Claviger-Node  ${rest}`,
    `${right} `,
    `${right}.`,
    `${right}, ${right}`,
    right.slice(0, -1),
    right.replace(/\.[^.]+$/, ""),
    right.replace("node_", "key_"),
  ];
  for (const header of [undefined, ...wrong])
    expect(parseCallerCredential(header), `${header}`).toBeUndefined();
  for (const header of [undefined, "", "a", rest]) expect(parseCalleeProof(header)).toBeUndefined();
});

const RIGHT = { isNode: true, hasPin: true };
const WRONG = { isNode: false, hasPin: false };

function ends(vector: ReadonlyMap<string, string>) {
  const field = (name: string) => vector.get(name) ?? expect.fail(`no field ${name}`);
  const own = (whose: string) => ({
    clusterId: field("cluster id"),
    memberToken: new Secret(field("member token")),
    nodeKey: new Secret(pemOf(field(`${whose} secret`))),
  });
  const call = { callerId: field("caller id"), calleeId: field("callee id"), binding: field("binding") };
  return { caller: own("caller"), callee: own("callee"), call, field };
}

function pemOf(secret: string): string {
  const key = Buffer.concat([PKCS8, Buffer.from(secret, "hex")]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** Another character at this place, of which every bit counts. */
function flipped(text: string, at: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const other = alphabet[alphabet.indexOf(text[at] ?? "") ^ 32];
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
}

function fieldOf([, name = "", value = ""]: RegExpMatchArray): [string, string] {
  return [name, value];
}
