import type { ChangeAuthor, Exchange } from "#platform/http/exchange.ts";
import { OPEN, type RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import { finishAnswer, finishBody, startAnswer, startBody } from "../messages.ts";
import type { JoinResponder } from "../responder.ts";
import { JOIN_VERSION } from "../transcript.ts";
import type { JoinDoor } from "./join-door.ts";

const START = "/cluster/join/start";
const FINISH = "/cluster/join/finish";
/** More than the longest message. */
const BODY_LIMIT_BYTES = 8 * 1024;
const RUN_ID = "k3Zr0sXa9vQm1TgW5bYd7A";

interface Parts {
  readonly door: JoinDoor;
  readonly responder: Pick<JoinResponder, "start" | "finish">;
}

/** `POST /cluster/join/start`: the first message of a join, and a member's answer, which is paid for before it goes out. */
export function startJoinRoute(api: Api, { door, responder }: Parts): void {
  api.route({
    method: "POST",
    url: START,
    bodyLimit: BODY_LIMIT_BYTES,
    config: { contract: contractOf(START) },
    onRequest: async (request) => door.enter(exchangeOf(request)),
    preValidation: async ({ body }) => requireVersion(body),
    schema: {
      summary: "Begin to join this server's cluster; docs/formats/cluster-join.md lays out the exchange.",
      body: startBody,
      response: { 200: startAnswer },
      example: {
        body: { version: JOIN_VERSION, request: "qGxYw1", tls_key: "0pJ4uE", node_key: "MCowBQ" },
        answer: {
          version: JOIN_VERSION,
          run_id: RUN_ID,
          cluster_id: "cluster_5gJ2mQ8vXbT1nRwZ",
          response: "vK3tQz",
        },
      },
      errors: [
        "not_found",
        "join_version",
        "tls_intercepted",
        "joining_closed",
        "join_busy",
        "cluster_closed",
        "rate_limited",
      ],
    },
    handler: (request) => responder.start(request.body),
  });
}

/** `POST /cluster/join/finish`: the last message, and where it is right the member's proof with what all members share. */
export function finishJoinRoute(
  api: Api,
  {
    door,
    responder,
    noted,
  }: Parts & { readonly noted: (by: ChangeAuthor) => (query: Query, nodeId: string) => Promise<void> },
): void {
  api.route({
    method: "POST",
    url: FINISH,
    bodyLimit: BODY_LIMIT_BYTES,
    config: { contract: contractOf(FINISH) },
    onRequest: async (request) => door.enter(exchangeOf(request)),
    schema: {
      summary: "End a join: proves the PIN, and gives what a member needs, sealed for the joiner.",
      body: finishBody,
      response: { 200: finishAnswer },
      example: {
        body: { run_id: RUN_ID, finish: "b7QeRk", node: "eyJpZCI", confirm: "Yw0hNd" },
        answer: { confirm: "p1MzXc", grant: "d9KsPo" },
      },
      errors: [
        "not_found",
        "wrong_pin",
        "joining_closed",
        "cluster_closed",
        "cluster_full",
        "node_exists",
        "rate_limited",
      ],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      return await door.judge(exchange, () => responder.finish(request.body, noted(strangerOf(exchange))));
    },
  });
}

/** Open without credentials, and closed while the server is locked. */
function contractOf(path: string): RouteContract {
  return {
    method: "POST",
    path,
    action: OPEN,
    audited: "cluster.admit",
    openWhileLocked: false,
    family: "api",
  };
}

/** Whoever joins has no name here. */
function strangerOf({ address, requestId }: Exchange): ChangeAuthor {
  return { principal: { kind: "anonymous" }, address, requestId };
}

/** Said before the shape is judged: of another version the fields are others. */
function requireVersion(body: unknown): void {
  if (typeof body !== "object" || body === null || !("version" in body)) return;
  if (body.version !== JOIN_VERSION) throw new AppError("join_version");
}
