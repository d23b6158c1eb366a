import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { People } from "../people.ts";
import { personOf, selfContract } from "./person-shape.ts";

const PATH = "/api/v1/me/sessions";
const shape = z
  .object({
    id: z.string(),
    current: z.boolean(),
    created_at: z.string(),
    last_seen_at: z.string(),
    ends_at: z.string(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
  })
  .meta({ id: "Session" });
const example = {
  id: "sess_0123456789abcdef",
  current: true,
  created_at: "2026-01-01T00:00:00.000Z",
  last_seen_at: "2026-01-01T00:00:00.000Z",
  ends_at: "2026-01-08T00:00:00.000Z",
  address: "127.0.0.1",
  user_agent: "curl/8.0.0",
};

/** The sessions of who asks: `GET` lists them, `DELETE` ends one, or all but the one that asks. */
export function ownSessionsRoutes(api: Api, { people }: { readonly people: People }): void {
  listRoute(api, people);
  endOneRoute(api, people);
  endOthersRoute(api, people);
}

function listRoute(api: Api, { parts }: People): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: selfContract("GET", PATH) },
    schema: {
      summary: "List one's own sessions, newest first.",
      response: { 200: z.object({ data: z.array(shape), next_cursor: z.null() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { id, session: current } = personOf(exchangeOf(request));
      const data = parts.held.sessionsOf(id).map((session) => ({
        id: session.jti,
        current: session.jti === current,
        created_at: toTimestamp(session.createdAt),
        last_seen_at: toTimestamp(session.lastSeenAt),
        ends_at: toTimestamp(session.endsAt),
        address: session.address,
        user_agent: session.userAgent,
      }));
      return { data, next_cursor: null };
    },
  });
}

function endOneRoute(api: Api, people: People): void {
  const path = `${PATH}/{id}`;
  api.route({
    method: "DELETE",
    url: `${PATH}/:id`,
    config: { contract: selfContract("DELETE", path, { audited: "session.end", servedOnLowDisk: true }) },
    schema: { summary: "End one of one's own sessions.", params: z.object({ id: z.string().max(64) }) },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id } = request.params;
      const session = people.parts.held.session(id);
      if (session?.userId !== personOf(exchange).id)
        throw new AppError("not_found", "None of your sessions has this id.");
      await people.endSessions([id], "session.end", authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

function endOthersRoute(api: Api, people: People): void {
  api.route({
    method: "DELETE",
    url: PATH,
    config: {
      contract: selfContract("DELETE", PATH, { audited: "session.end_others", servedOnLowDisk: true }),
    },
    schema: { summary: "End all of one's own sessions but this one." },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id, session: current } = personOf(exchange);
      const others = people.parts.held.sessionsOf(id).map(({ jti }) => jti);
      const ended = others.filter((jti) => jti !== current);
      await people.endSessions(ended, "session.end_others", authorOf(exchange));
      return reply.code(204).send();
    },
  });
}
