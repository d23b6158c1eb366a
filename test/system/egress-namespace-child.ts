import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { createEgressClient, type EgressClient } from "#platform/egress/egress-client.ts";
import { startNameServer } from "#test/egress/name-server.ts";

/** Run in a network of its own, with the sink's addresses as arguments: dials them all, prints what happened. */

const HTTP_PORT = 80;
const PROXY_PORT = 3128;
const [deniedUrls, allowedUrls, sinkAddresses] = process.argv.slice(2, 5).map((text) => {
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list.map(String) : [];
});
const HANGING = Array.from({ length: 20 }, (_, index) => `hang-${index}.dns.test`);

await using _names = await startNameServer(
  {
    ...Object.fromEntries(HANGING.map((name) => [name, "silent"] as const)),
    "good.dns.test": { addresses: ["10.77.0.1"] },
    "beside.dns.test": { addresses: ["10.77.0.1"] },
    "bad.dns.test": { addresses: ["169.254.169.254"] },
    "bad6.dns.test": { addresses: ["fd00:ec2:0:0:0:0:0:254"] },
    "alias.dns.test": { addresses: ["100.100.100.200"], alias: "elsewhere.dns.test" },
    "mixed.dns.test": { addresses: ["10.77.0.1", "169.254.170.2"] },
    "embedded.dns.test": { addresses: ["0:0:0:0:0:ffff:a9fe:a9fe"] },
    "slow.dns.test": { addresses: ["198.51.100.1", "10.77.0.1"] },
  },
  { address: "127.0.0.1", port: 53 },
);
let proxied = 0;
const reached: string[] = [];
const sink = createServer((_request, response) => response.end("sink"));
sink.on("connection", (socket) => reached.push(socket.localAddress ?? "gone"));
const proxy = createServer((_request, response) => response.end("proxy"));
proxy.on("connection", () => {
  proxied += 1;
});
await once(sink.listen(HTTP_PORT, "::"), "listening");
await once(proxy.listen(PROXY_PORT, "::"), "listening");

const control = [];
for (const address of sinkAddresses ?? []) control.push([address, await reachedPlainly(address)]);
reached.length = 0;

await using client = createEgressClient();
const denied = [];
for (const url of deniedUrls ?? []) denied.push([url, await outcome(client, url)]);
const sinkAfterDenied = reached.length;
const allowed = [];
for (const url of allowedUrls ?? []) allowed.push([url, await outcome(client, url)]);
const sinkAfterAllowed = reached.length;

let settled = 0;
const startedMs = performance.now();
const hanging = HANGING.map(async (name) => {
  const code = await outcome(client, `http://${name}/`);
  settled += 1;
  return code;
});
// A name not asked for before, so that no connection is kept for it.
const beside = await outcome(client, "http://beside.dns.test/");
const settledBeside = settled;
const hung = await Promise.all(hanging);
const hungMs = performance.now() - startedMs;
sink.close();
proxy.close();
process.stdout.write(
  JSON.stringify({
    control,
    denied,
    sinkAfterDenied,
    allowed,
    sinkAfterAllowed,
    proxied,
    beside,
    settledBeside,
    hung,
    hungMs,
  }),
);

async function reachedPlainly(address: string): Promise<boolean> {
  const before = reached.length;
  const socket = connect({ host: address, port: HTTP_PORT });
  await once(socket, "connect");
  socket.end("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  return reached.length === before + 1;
}

async function outcome(from: EgressClient, text: string): Promise<string> {
  const url = URL.parse(text);
  if (url === null) return (await from.verdict(text)).allowed ? "allowed" : "egress_denied";
  try {
    return String((await from.collect({ url, method: "GET", headers: [] }, 4096)).status);
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}
