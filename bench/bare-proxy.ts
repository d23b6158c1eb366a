/*
 * The least that Node.js takes to pass a request on: `node:http` before, a pool of undici behind, the credential put
 * in, nothing checked, counted or logged. Started as `bare-proxy.ts UPSTREAM-PORT CREDENTIAL`; prints `port N`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Dispatcher, Pool } from "undici";

const [upstreamPort, credential] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { headersTimeout: 0, bodyTimeout: 0 });
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "host", "authorization"]);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const headers = [...endToEnd(request.rawHeaders), "authorization", `Bearer ${credential}`];
    pool.dispatch(
      { path: request.url ?? "/", method: methodOf(request), headers, body: body ?? null },
      replyTo(response),
    );
  });
});
await once(server.listen(0, "127.0.0.1", 4096), "listening");
const address = server.address();
console.log(`port ${typeof address === "object" ? address?.port : ""}`);

function methodOf(request: IncomingMessage): Dispatcher.HttpMethod {
  return request.method === "GET" ? "GET" : "POST";
}

/** Bytes go as they come; a client that reads slowly slows the upstream, one that leaves ends it. */
function replyTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => {
      response.on("close", () => {
        if (!response.writableFinished) controller.abort(new Error("the client left"));
      });
    },
    onResponseStart: (controller, status) => {
      const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders.map(String) : [];
      response.writeHead(status, endToEnd(raw));
    },
    onResponseData: (controller, chunk) => {
      if (response.write(chunk)) return;
      controller.pause();
      response.once("drain", () => controller.resume());
    },
    onResponseEnd: () => response.end(),
    onResponseError: () => response.destroy(),
  };
}

/** Names and values in turn, without those that concern one connection only. */
function endToEnd(raw: readonly string[]): string[] {
  return raw.filter((_text, at) => !HOP_BY_HOP.has((raw[at - (at % 2)] ?? "").toLowerCase()));
}
