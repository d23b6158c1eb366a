import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { personOf, selfContract } from "./person-shape.ts";

const PATH = "/logout";

/** `POST /logout`: 204, and the session's cookie is refused from then on. */
export function logOutRoute(api: Api, people: People): void {
  api.route({
    method: "POST",
    url: PATH,
    config: {
      contract: selfContract("POST", PATH, {
        audited: "user.logout",
        beforePasswordChange: true,
        servedOnLowDisk: true,
      }),
    },
    schema: { summary: "Sign out: this session ends." },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      await people.endSessions([personOf(exchange).session], "user.logout", authorOf(exchange));
      const cookie = people.parts.sessions.cookieOfNone(exchange.listener.secure);
      // In the place of one that would prolong the session, not beside it.
      return reply.removeHeader("set-cookie").header("set-cookie", cookie).code(204).send();
    },
  });
}
