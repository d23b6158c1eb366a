import { request as nodeRequest } from "node:http";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import { seededRandom } from "#test/seeded-random.ts";
import type { AnswerHead } from "./answer-head.ts";
import { AnswerParser } from "./answer-parser.ts";

interface Read {
  status: number;
  headers: readonly string[];
  body: string;
  ended: "clean" | "closed" | "cut" | "refused";
}

/** What comes of these bytes, cut before each of these places, when the connection ends behind them. */
function read(bytes: Buffer, cuts: readonly number[] = [], method = "GET"): Read {
  const heard: Read = { status: 0, headers: [], body: "", ended: "cut" };
  const parser = new AnswerParser({
    onInformational: () => {},
    onHead: (head: AnswerHead) => Object.assign(heard, { status: head.status, headers: head.headers }),
    onBody: (piece) => {
      heard.body += piece.toString("latin1");
    },
    onEnd: (clean) => {
      heard.ended = clean ? "clean" : "closed";
    },
  });
  parser.expect(method);
  let from = 0;
  try {
    for (const to of [...cuts, bytes.length]) {
      // Overwritten afterwards, as the memory that is read into is.
      const piece = Buffer.from(bytes.subarray(from, to));
      if (piece.length > 0 && (heard.ended === "cut" || from === 0)) parser.push(piece);
      piece.fill("!");
      from = to;
    }
    parser.close();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "upstream_failed") throw error;
    heard.ended = "refused";
  }
  return heard;
}

/** What Node's own client makes of the same bytes; undefined when it refuses them. */
function readByNode(bytes: Buffer): Promise<Read | undefined> {
  const line = new Duplex({ read() {}, write: (_piece, _coding, done) => done() });
  return new Promise((resolve) => {
    const asked = nodeRequest({ createConnection: () => line, method: "GET", maxHeaderSize: 32 * 1024 });
    asked.on("error", () => resolve(undefined));
    asked.on("response", (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => {
        body += text;
      });
      response.on("error", () => resolve(undefined));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.rawHeaders, body, ended: "clean" }),
      );
    });
    asked.end(() => {
      line.push(bytes);
      line.push(null);
    });
  });
}

const below = (random: Random, limit: number) => random.bytes(3).readUIntBE(0, 3) % limit;
const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[below(random, items.length)] ?? raise();
const raise = (): never => {
  throw new Error("nothing to pick from");
};

/** A right answer, and what it says. */
function anyAnswer(random: Random): { bytes: Buffer; whole: Read } {
  const status = pick(random, [200, 201, 404, 429, 500, 299]);
  const body = random.bytes(below(random, 200)).toString("latin1");
  const extra = Array.from({ length: below(random, 4) }, (_, index) => [`x-${index}`, `a ${index}\xe4b`]);
  const pairs = extra.flat();
  const how = pick(random, ["length", "chunks", "close"] as const);
  if (how === "length") pairs.push(pick(random, ["Content-Length", "content-length"]), `${body.length}`);
  if (how === "chunks") pairs.push("Transfer-Encoding", pick(random, ["chunked", "Chunked"]));
  const lines = pairs.map((text, index) =>
    index % 2 === 0 ? `${text}:${pick(random, ["", " ", "\t "])}` : `${text}\r\n`,
  );
  const before = pick(random, ["", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"]);
  const head = `${before}HTTP/1.1 ${status}${pick(random, ["", " ", " Some Words"])}\r\n${lines.join("")}\r\n`;
  const bytes = Buffer.from(head + (how === "chunks" ? chunked(random, body) : body), "latin1");
  return { bytes, whole: { status, headers: pairs, body, ended: how === "close" ? "closed" : "clean" } };
}

function chunked(random: Random, body: string): string {
  let text = "";
  for (let at = 0; at < body.length; ) {
    const piece = body.slice(at, at + 1 + below(random, 40));
    const size = pick(random, [piece.length.toString(16), `0${piece.length.toString(16).toUpperCase()}`]);
    text += `${size}${pick(random, ["", ";a", ';a="b c"'])}\r\n${piece}\r\n`;
    at += piece.length;
  }
  return `${text}0\r\n${pick(random, ["", "x-sum: 9\r\n"])}\r\n`;
}

test("[G6] a right answer is read the same however it is cut", () => {
  const random = seededRandom(71);
  for (let round = 0; round < 1500; round += 1) {
    const { bytes, whole } = anyAnswer(random);
    const cuts = Array.from({ length: below(random, 6) }, () => below(random, bytes.length + 1)).sort(
      (a, b) => a - b,
    );
    expect(read(bytes, cuts), bytes.toString("latin1")).toEqual(whole);
  }
  const { bytes, whole } = anyAnswer(random);
  expect(read(bytes, [...bytes.keys()])).toEqual(whole);
});

test("[G6] whatever is changed in an answer, it is read as Node reads it or refused", async () => {
  const random = seededRandom(72);
  let accepted = 0;
  for (let round = 0; round < 1500; round += 1) {
    const { bytes, whole } = anyAnswer(random);
    const changed = mutate(random, bytes);
    const ours = read(changed);
    // Bytes behind a told end are an error to Node, and to us the end of the connection.
    const isFramed = /content-length|transfer-encoding/i.test(ours.headers.join());
    if (ours.ended !== (isFramed ? "clean" : "closed")) continue;
    const nodes = await readByNode(changed);
    const { status, headers, body } = ours;
    expect(nodes, changed.toString("latin1")).toMatchObject({ status, headers, body });
    if (ours.ended === whole.ended) accepted += 1;
  }
  // Else nothing was compared.
  expect(accepted).toBeGreaterThan(300);
});

/** One byte more, less or other, mostly such as mean something. */
function mutate(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length);
  const put = Buffer.from(
    pick(random, ["", "\r", "\n", "\r\n", " ", ":", ";", "0", "a", "\0", "\t", "\x7f", ",", "\r\n "]),
    "latin1",
  );
  const keep = pick(random, [0, 1]);
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + keep)]);
}

const OK = "HTTP/1.1 200 OK\r\n";
const REFUSED: Record<string, string> = {
  "a folded header": `${OK}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`,
  "a blank before the colon": `${OK}content-length : 0\r\n\r\n`,
  "a header without a name": `${OK}: a\r\n\r\n`,
  "a header without a colon": `${OK}content-length\r\n\r\n`,
  "CR within a value": `${OK}x: a\rb\r\n\r\n`,
  "LF alone at the end of a line": `${OK}x: a\ny: b\r\n\r\n`,
  "one length twice": `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\na`,
  "a list of lengths": `${OK}content-length: 1, 1\r\n\r\na`,
  "a length with a sign": `${OK}content-length: +1\r\n\r\na`,
  "a length in hex": `${OK}content-length: 0x1\r\n\r\na`,
  "a length too long for a number": `${OK}content-length: ${"9".repeat(20)}\r\n\r\na`,
  "a coding beside chunked": `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "a tab behind a coding": `${OK}transfer-encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  "a coding that is none": `${OK}transfer-encoding: identity\r\n\r\na`,
  "chunked twice": `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  "chunks in HTTP/1.0": "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  "an informational answer in HTTP/1.0": `HTTP/1.0 103 Hints\r\n\r\n${OK}content-length: 0\r\n\r\n`,
  "another version": "HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
  "a status of two digits": "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
  "no chunk size": `${OK}transfer-encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n`,
  "a blank behind a chunk size": `${OK}transfer-encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n`,
  "a chunk size too long for a number": `${OK}transfer-encoding: chunked\r\n\r\n${"f".repeat(14)}\r\na`,
  "LF alone behind a chunk size": `${OK}transfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`,
  "LF within a chunk extension": `${OK}transfer-encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n`,
  "a chunk extension without end": `${OK}transfer-encoding: chunked\r\n\r\n1;${"a".repeat(5000)}`,
  "a chunk longer than its size": `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`,
  "a folded trailer": `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx: a\r\n b\r\n\r\n`,
  "trailers without end": `${OK}transfer-encoding: chunked\r\n\r\n0\r\n${"x: a\r\n".repeat(8000)}`,
};

describe("[G6] what two readers could read differently is refused", () => {
  test.each(Object.entries(REFUSED))("%s", (_what, text) => {
    const bytes = Buffer.from(text, "latin1");
    expect(read(bytes).ended).toBe("refused");
    expect(read(bytes, [...bytes.keys()]).ended).toBe("refused");
  });
});

test("answers that have no body have none, and what follows is not theirs", () => {
  const length = "content-length: 5\r\n\r\n";
  for (const status of ["204 No Content", "304 Not Modified"])
    expect(read(Buffer.from(`HTTP/1.1 ${status}\r\n${length}`))).toMatchObject({ body: "", ended: "clean" });
  expect(read(Buffer.from(OK + length), [], "HEAD")).toMatchObject({ body: "", ended: "clean" });
  expect(read(Buffer.from(`${OK}${length}hello there`))).toMatchObject({ body: "hello", ended: "closed" });
  expect(read(Buffer.from(`${OK}${length}hell`)).ended).toBe("cut");
});
