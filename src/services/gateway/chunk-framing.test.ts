import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { ChunkFraming } from "./chunk-framing.ts";

const PIECES = [
  "data: 1\n\n",
  "x".repeat(300),
  "ä\n\n",
  ...[15, 16, 4096, 70_000].map((size) => "y".repeat(size)),
];

test.each([
  ["ends behind a piece", "data: 2\n\n"],
  ["ends alone", ""],
])("a body goes in whole chunks and %s", async (_how, last) => {
  const body = await bodyOver("1.1", last);
  const chunks = [...PIECES, last].map((piece) => Buffer.byteLength(piece).toString(16));
  const all = [...PIECES, last].map((piece, at) => `${chunks[at]}\r\n${piece}\r\n`).join("");
  expect(body).toBe(last === "" ? all : `${all}0\r\n\r\n`);
});

test("a client of HTTP/1.0, which knows no chunks, gets the bytes alone", async () => {
  expect(await bodyOver("1.0", "end")).toBe(`${PIECES.join("")}end`);
});

/** What a client reads behind the head, byte for byte, until the connection is closed. */
async function bodyOver(version: "1.0" | "1.1", last: string): Promise<string> {
  const server = createServer((_request, response) => {
    const framing = new ChunkFraming();
    response.writeHead(200, ["connection", "close"]);
    framing.takeOver(response);
    for (const piece of PIECES) response.write(framing.piece(Buffer.from(piece)));
    response.end(framing.last(Buffer.from(last)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET / HTTP/${version}\r\nhost: here\r\n\r\n`);
  const answer = await text(socket);
  server.close();
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}
