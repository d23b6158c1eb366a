import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

/** What a name means: its addresses (an alias to them where `alias` stands), or no answer at all. */
export type NameRecord = { readonly addresses: readonly string[]; readonly alias?: string } | "silent";

export interface NameServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as `Resolver.setServers` takes it. */
  readonly address: string;
  /** The names asked for, in their order, each once for each family. */
  readonly asked: readonly string[];
}

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;

/** A DNS server over UDP (RFC 1035) for tests; names it does not know do not exist. */
export async function startNameServer(
  records: Readonly<Record<string, NameRecord>>,
  listen: { address: string; port: number } = { address: "127.0.0.1", port: 0 },
): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const { name, end } = readName(query, 12);
    asked.push(name);
    const record = records[name];
    if (record === "silent") return;
    const answer =
      record === undefined
        ? reply(query, end, [], 3)
        : reply(query, end, resources(record, query.readUInt16BE(end)), 0);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(listen.port, listen.address);
  await once(socket, "listening");
  return {
    address: `${listen.address}:${socket.address().port}`,
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length !== 0; length = message.readUInt8(at)) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function writeName(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label, "latin1")]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

/** The query's own question, then the resources; flags say: an answer, recursion available. */
function reply(query: Buffer, questionEnd: number, found: readonly Buffer[], code: number): Buffer {
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found.length, 6);
  return Buffer.concat([head, query.subarray(12, questionEnd + 4), ...found]);
}

function resources(record: Exclude<NameRecord, "silent">, type: number): Buffer[] {
  const wanted = record.addresses.filter((address) => (isIPv4(address) ? TYPE_A : TYPE_AAAA) === type);
  const owner = record.alias === undefined ? ASKED : writeName(record.alias);
  const alias = record.alias === undefined ? [] : [resource(ASKED, TYPE_CNAME, writeName(record.alias))];
  return [...alias, ...wanted.map((address) => resource(owner, type, addressBytes(address)))];
}

/** A pointer to the name in the question. */
const ASKED = Buffer.from([0xc0, 12]);

function resource(owner: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}

/** IPv6 in eight groups only. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  return Buffer.from(
    address
      .split(":")
      .map((group) => group.padStart(4, "0"))
      .join(""),
    "hex",
  );
}
