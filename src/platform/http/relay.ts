import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "../lib/error.ts";
import { channelBinding } from "../tls/channel-binding.ts";
import { bindAsTold } from "./channel-binding.ts";
import type { Front } from "./front.ts";
import { Agent, request as requestOver } from "./node-http.ts";
import { pathOf } from "./path.ts";
import type { ListenerPolicy } from "./ports.ts";
import { toProblem } from "./problem.ts";

/** The first header of a relayed request: who sent it, its channel binding, and by which listener it came in. */
const RELAYED = "x-claviger-relayed";
/** Of other paths nobody asks how their connection is bound, and to work it out takes time. */
const BOUND_PATHS = "/cluster/";
/** What is not known. */
const NOTHING = "-";
/** Each hop's own (RFC 9110, 7.6.1). */
const OWN_TO_A_HOP = new Set(["connection", "keep-alive"]);
/** What a client expects is answered here: the relay has an expectation of its own. */
const SENT_ANEW = new Set([...OWN_TO_A_HOP, "expect"]);
const SENT_ANEW_EMPTY = new Set([...SENT_ANEW, "content-length"]);
/** Far below the time after which the other end drops a kept connection, so that none is used as it is closed. */
const IDLE_MS = 10_000;

/**
 * Passes requests on, whole and unjudged, to the thread that serves `socketPath`; the answers come back as they are. The
 * socket must be in a directory of the server's own: whoever can open it can say who he is. `listener` is what the other
 * end knows the listener by.
 */
export function createRelay(
  socketPath: string,
  newRequestId: () => string,
): { frontFor(listener: string): Front; close(): void } {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  const relay = (listener: string, [request, response, , address]: Parameters<Front>) => {
    const outgoing = requestOver({
      socketPath,
      agent,
      method: request.method ?? "",
      path: request.url ?? "",
      headers: [RELAYED, [address ?? NOTHING, bindingOf(request), listener].join(" "), ...asSent(request)],
    });
    let answer: IncomingMessage | undefined;
    outgoing.on("continue", () => {
      if (waitsForContinue(request)) response.writeContinue();
      request.pipe(outgoing);
    });
    outgoing.on("response", (come) => {
      answer = come;
      response.writeHead(come.statusCode ?? 0, answered(come, request));
      come.on("error", () => response.destroy());
      come.pipe(response);
    });
    outgoing.on("error", () => {
      if (answer === undefined) refuse(response, newRequestId());
      else if (!answer.complete) response.destroy();
    });
    response.on("close", () => outgoing.destroy());
    if (announcesBody(request)) outgoing.flushHeaders();
    else outgoing.end();
  };
  return {
    frontFor:
      (listener) =>
      (...arrived) =>
        relay(listener, arrived),
    close: () => agent.destroy(),
  };
}

const relayed = new WeakSet<IncomingMessage>();

/** Whether this request was relayed: then what is left of its body is the other thread's to deal with. */
export function isRelayed(request: IncomingMessage): boolean {
  return relayed.has(request);
}

/** The other end: requests that were relayed, under the policy and the address they came in by. */
export function relayedFront(
  front: Front,
  policyOf: (listener: string) => ListenerPolicy | undefined,
): Front {
  return (request, response) => {
    const [name, told = ""] = request.rawHeaders;
    const [address = NOTHING, binding = NOTHING, ...listener] = told.split(" ");
    const policy = policyOf(listener.join(" "));
    if (name !== RELAYED || policy === undefined) return void response.destroy();
    // One that the client sent under this name, too, must mean nothing to anyone.
    delete request.headers[RELAYED];
    request.rawHeaders.splice(0, 2);
    relayed.add(request);
    bindAsTold(request, binding === NOTHING ? undefined : binding);
    front(request, response, policy, address === NOTHING ? null : address);
  };
}

function bindingOf(request: IncomingMessage): string {
  const isBound = pathOf(request.url ?? "").startsWith(BOUND_PATHS);
  return (isBound ? channelBinding(request.socket) : undefined) ?? NOTHING;
}

/** The main thread never asks for a body of length 0. */
function announcesBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Whether the client holds its body back; one of HTTP/1.0 does not know how to (RFC 9110, 10.1.1). */
function waitsForContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.1" && headers.expect?.toLowerCase() === "100-continue";
}

/**
 * A body is sent when the main thread asks for it: one that it refuses would meet a closed connection, and its answer
 * be lost. Without a declared length Node would announce a body where the client announced none.
 */
function asSent(request: IncomingMessage): string[] {
  if (announcesBody(request)) return [...passedOn(request.rawHeaders, SENT_ANEW), "expect", "100-continue"];
  return [...passedOn(request.rawHeaders, SENT_ANEW_EMPTY), "content-length", "0"];
}

/** What is left of a refused body must not be taken for the next request, nor be waited for. */
function answered({ rawHeaders }: IncomingMessage, request: IncomingMessage): string[] {
  const sent = passedOn(rawHeaders, OWN_TO_A_HOP);
  return request.complete ? sent : [...sent, "connection", "close"];
}

function passedOn(rawHeaders: readonly string[], dropped: ReadonlySet<string>): string[] {
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)]?.toLowerCase() ?? "";
    return !dropped.has(name);
  });
}

function refuse(response: ServerResponse, requestId: string): void {
  const error = new AppError("shutting_down");
  const body = JSON.stringify(toProblem(error, requestId));
  response.writeHead(error.status, {
    "content-type": "application/problem+json",
    "x-request-id": requestId,
    connection: "close",
  });
  response.end(body);
}
