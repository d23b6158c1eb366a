import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { bearer } from "#test/listeners/bench.ts";
import { newToken } from "./cluster-files.ts";
import { connectByHand, type HandNode, handCredential, handProofs, sendByHand } from "./hand-node.ts";
import { GREETING, type NodeDoor, PLANTED, startNodeDoor, THING } from "./node-door.ts";

const DENIED = { status: 401, proof: undefined, json: expect.objectContaining({ code: "invalid_token" }) };
const NOTHING = { status: 404, proof: undefined, json: expect.objectContaining({ code: "not_found" }) };

describe.each([
  ["in the main thread", false],
  ["in another thread", true],
] as const)("the routes of nodes, the connection %s", (_where, relayed) => {
  let door: NodeDoor;
  beforeAll(async () => {
    door = await startNodeDoor({ relayed });
  });
  afterAll(() => door[Symbol.asyncDispose]());

  /** One request over a connection of its own, with what `header` makes of it. */
  const ask = async (
    path: string,
    header: (connection: { readonly binding: string }) => string | undefined,
    {
      url = door.url,
      ...more
    }: { readonly url?: string; readonly body?: string; readonly method?: string } = {},
  ) => {
    const connection = await connectByHand(url);
    const authorization = header(connection);
    return await sendByHand(connection, path, {
      headers: authorization === undefined ? {} : { authorization },
      ...more,
    });
  };
  const as = (node: HandNode) => (connection: { readonly binding: string }) =>
    handCredential(node, door.id, connection);

  test("[C7] [A5] a node that is known and has the PIN is let in, and told who answers", async () => {
    const node = door.addNode();
    for (const path of [GREETING, THING]) {
      const connection = await connectByHand(door.url);
      const answer = await sendByHand(connection, path, {
        headers: { authorization: handCredential(node, door.id, connection) },
      });
      expect(answer).toMatchObject({ status: 200, json: { id: node.id, hasPin: true } });
      expect(answer.proof).toMatch(/^[\w-]{86}\.[\w-]{43}$/);
      const said = {
        use: "answer",
        callerId: node.id,
        calleeId: door.id,
        binding: connection.binding,
      } as const;
      expect(answer.proof?.split(".")[1]).toBe(handProofs(node, said).split(".")[1]);
    }
    expect(door.served).toContain(node.id);
  });

  test("[C7] one whose PIN is another may greet, and is told nothing that has to do with ours", async () => {
    const node = door.addNode(newToken());
    const greeted = await ask(GREETING, as(node));
    expect(greeted).toMatchObject({ status: 200, json: { id: node.id, hasPin: false } });
    expect(greeted.proof).toMatch(/^[\w-]{86}$/);
    const refused = await ask(THING, as(node));
    expect(refused).toMatchObject({ status: 403, json: { code: "needs_pin" } });
    expect(refused.proof).toMatch(/^[\w-]{86}$/);
    expect(door.refused).toContainEqual(
      expect.objectContaining({ actor: node.id, action: "cluster.member" }),
    );
  });

  test("[C7] [A3] a wrong signature, another's, nobody's, and one of who left are wrong credentials", async () => {
    const [node, other] = [door.addNode(), door.addNode()];
    const stranger = { ...node, id: newId("node", systemRandom) };
    const impostor = { ...other, id: node.id };
    for (const one of [stranger, impostor, { ...node, clusterId: newId("cluster", systemRandom) }])
      expect(await ask(GREETING, as(one))).toMatchObject(DENIED);
    const wrong = (connection: { readonly binding: string }) => {
      const right = handCredential(node, door.id, connection);
      return right.replace(/\.(.)/, (_all, first: string) => `.${first === "A" ? "Q" : "A"}`);
    };
    expect(await ask(GREETING, wrong)).toMatchObject(DENIED);
    expect(await ask(GREETING, as(node))).toMatchObject({ status: 200 });
    door.directory.delete(node.id);
    expect(await ask(GREETING, as(node))).toMatchObject(DENIED);
  });

  test("[C7] what was meant for another node, for the way back, or by this node itself is wrong", async () => {
    const node = door.addNode();
    const elsewhere = (connection: { readonly binding: string }) =>
      handCredential(node, newId("node", systemRandom), connection);
    expect(await ask(GREETING, elsewhere)).toMatchObject(DENIED);
    const back = ({ binding }: { readonly binding: string }) =>
      `Claviger-Node ${node.id}.${handProofs(node, { use: "answer", callerId: node.id, calleeId: door.id, binding })}`;
    expect(await ask(GREETING, back)).toMatchObject(DENIED);
    const known = door.directory.get(node.id);
    if (known !== undefined) door.directory.set(door.id, known);
    expect(await ask(GREETING, as({ ...node, id: door.id }))).toMatchObject(DENIED);
    door.directory.delete(door.id);
  });

  test("[C7] a recorded credential is worth nothing on another connection", async () => {
    const node = door.addNode();
    const connection = await connectByHand(door.url);
    const recorded = handCredential(node, door.id, connection);
    const headers = { authorization: recorded };
    expect(await sendByHand(connection, GREETING, { headers })).toMatchObject({ status: 200 });
    expect(await ask(GREETING, () => recorded)).toMatchObject(DENIED);
  });

  test("[C7] over TLS 1.2 nothing is right", async () => {
    const node = door.addNode();
    const connection = await connectByHand(door.url, "TLSv1.2");
    expect(connection.socket.getProtocol()).toBe("TLSv1.2");
    const headers = { authorization: handCredential(node, door.id, connection) };
    expect(await sendByHand(connection, GREETING, { headers })).toMatchObject(DENIED);
    const unbound = await connectByHand(door.url, "TLSv1.2");
    const bare = { authorization: handCredential(node, door.id, { binding: "" }) };
    expect(await sendByHand(unbound, GREETING, { headers: bare })).toMatchObject(DENIED);
  });

  test("[C7] [A5] a header of the relay's own name binds nothing", async () => {
    const node = door.addNode();
    const binding = Buffer.alloc(32, 7).toString("base64url");
    const connection = await connectByHand(door.url);
    const headers = {
      authorization: handCredential(node, door.id, { binding }),
      "x-claviger-relayed": `127.0.0.1 ${binding} door 0`,
    };
    expect(await sendByHand(connection, GREETING, { headers })).toMatchObject(DENIED);
  });

  test("[A5] without a credential, with a key, or in any other form it is 401", async () => {
    const node = door.addNode();
    const right = as(node);
    const forms: ((connection: { readonly binding: string }) => string | undefined)[] = [
      () => undefined,
      () => "",
      () => `Bearer ${newToken()}`,
      () => `Bearer ${node.token}`,
      (connection) => right(connection).replace("Claviger-Node", "Bearer"),
      (connection) => `${right(connection)}.`,
      (connection) => right(connection).replace(/\.[^.]*$/, ""),
      (connection) => right(connection).replace("node_", "key_"),
    ];
    for (const [index, form] of forms.entries()) {
      expect(await ask(GREETING, form), `${index}`).toMatchObject(DENIED);
      door.clock.advance(60_000);
    }
    const inUrl = await ask(`${GREETING}?token=${node.token}`, right);
    expect(inUrl).toMatchObject({ status: 400, json: { code: "credential_in_url" } });
  });

  test("[A3] a node's credential opens no route but those of nodes", async () => {
    const node = door.addNode();
    expect(await ask(PLANTED, as(node), { method: "GET" })).toMatchObject(DENIED);
  });

  test("[C7] other methods, spellings and paths of nodes do not exist", async () => {
    const node = door.addNode();
    expect(await ask(GREETING, as(node), { method: "GET" })).toMatchObject(NOTHING);
    for (const path of [
      "/cluster/nothing",
      "/cluster/greeting/",
      "//cluster/greeting",
      "/cluster/%67reeting",
    ])
      expect(await ask(path, as(node)), path).toMatchObject(NOTHING);
  });

  test("[C7] [I9] where cluster is not listed, or no TLS is spoken, they do not exist for anybody", async () => {
    const node = door.addNode();
    const entry = {
      kind: "listed",
      identities: new Set<string>(),
      users: true,
      keys: true,
      anonymous: undefined,
    } as const;
    const closed = await door.listen({ entry: { ...entry, cluster: false } });
    expect(await ask(GREETING, as(node), { url: closed })).toMatchObject(NOTHING);
    const open = { kind: "open", anonymous: { caller: { kind: "anonymous" }, from: "anywhere" } } as const;
    expect(await ask(GREETING, as(node), { url: await door.listen({ entry: open }) })).toMatchObject(NOTHING);
    const plain = await door.listen({ secure: false });
    const answer = await fetch(`${plain}${GREETING}`, {
      method: "POST",
      body: "{}",
      headers: bearer(newToken()),
    });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ code: "not_found" }),
    ]);
  });

  test("[C7] [S4] a locked server answers nodes, and nobody else", async () => {
    const node = door.addNode();
    door.lock.locked = true;
    expect(await ask(THING, as(node))).toMatchObject({ status: 200 });
    expect(await ask(GREETING, () => undefined)).toMatchObject(DENIED);
    expect(await ask(PLANTED, as(node), { method: "GET" })).toMatchObject({ status: 503 });
    door.lock.locked = false;
  });

  test("[C12] without credentials of a cluster they are closed", async () => {
    const node = door.addNode();
    const closed = {
      status: 503,
      proof: undefined,
      json: expect.objectContaining({ code: "cluster_closed" }),
    };
    for (const state of [
      { status: "none" },
      { status: "closed", reason: "a file is missing", repair: "bring it back" },
    ] as const) {
      door.become(state);
      expect(await ask(GREETING, as(node))).toMatchObject(closed);
    }
    door.become(door.stateWith({}));
    expect(await ask(GREETING, as(node))).toMatchObject({ status: 200 });
  });

  test("[A8] a body that is too large or makes no sense is refused, and the node is told by whom", async () => {
    const node = door.addNode();
    for (const [body, status, code] of [
      [JSON.stringify({ text: "a".repeat(2000) }), 413, "body_too_large"],
      ["{", 400, "bad_request"],
      ["[]", 400, "bad_request"],
      ['{"other":1}', 400, "unknown_field"],
    ] as const) {
      const answer = await ask(THING, as(node), { body });
      expect(answer, body.slice(0, 20)).toMatchObject({ status, json: { code } });
      expect(answer.proof).toMatch(/^[\w-]{86}\.[\w-]{43}$/);
    }
  });

  test("[C7] whoever is taken off the list, or whose PIN is no longer ours, while his body arrives does nothing", async () => {
    for (const end of [
      (node: HandNode) => void door.directory.delete(node.id),
      () => door.become(door.stateWith({ token: newToken() })),
      () => door.become({ status: "none" }),
    ]) {
      door.become(door.stateWith({}));
      const node = door.addNode();
      const connection = await connectByHand(door.url);
      const came = heardBy(connection.socket);
      const lines = [
        `POST ${THING} HTTP/1.1`,
        "Host: 127.0.0.1",
        `Authorization: ${handCredential(node, door.id, connection)}`,
        "Content-Type: application/json",
        "Content-Length: 2",
        "Expect: 100-continue",
        "Connection: close",
      ];
      connection.socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      await came(/100 Continue/);
      end(node);
      connection.socket.write("{}");
      expect(await came(/HTTP\/1\.1 (?!100)\d/)).toMatch(/HTTP\/1\.1 401 /);
      connection.socket.destroy();
      expect(door.served).not.toContain(node.id);
    }
    door.become(door.stateWith({}));
  });

  test("[A12] wrong ones are 429 after 60 a minute from an address, and a right one passes all the same", async () => {
    door.clock.advance(60_000);
    const node = door.addNode();
    const wrong = () => ask(GREETING, as({ ...node, id: newId("node", systemRandom) }));
    for (let tried = 0; tried < 60; tried++) expect((await wrong()).status).toBe(401);
    expect(await wrong()).toMatchObject({ status: 429, json: { code: "rate_limited" } });
    expect(await ask(THING, as(node))).toMatchObject({ status: 200 });
    expect((await ask(GREETING, () => undefined)).status).toBe(401);
    door.clock.advance(60_000);
    expect((await wrong()).status).toBe(401);
  });

  test("[A3] the access log says who came, and why others did not", async () => {
    const lines = door.logged();
    for (const reason of ["missing", "malformed", "unknown"])
      expect(lines).toMatch(new RegExp(`"route":"${GREETING}"[^\\n]*"reason":"${reason}"`));
    const [served = ""] = door.served;
    expect(lines).toContain(`"principal":"${served}"`);
    expect(lines).not.toContain("Claviger-Node");
  });
});

/** What has come over the socket once `pattern` is in it. */
function heardBy(socket: { on(event: "data", heard: (chunk: Buffer) => void): unknown }) {
  let text = "";
  const waiting = new Set<() => void>();
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (const look of waiting) look();
  });
  return (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => pattern.test(text) && resolve(text);
      waiting.add(look);
      look();
    });
}
