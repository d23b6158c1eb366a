import * as z from "zod";
import { authorOf, type ChangeAuthor } from "#platform/http/exchange.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";

const RELOAD: RouteContract = {
  method: "POST",
  path: "/api/v1/config/reload",
  action: "settings.manage",
  openWhileLocked: false,
  // So identities are taken out of force.
  servedOnLowDisk: true,
  family: "api",
};
const report = z.object({
  /** Settings that are another in the file than at the start, and hold only after the next one. */
  restart_needed: z.array(z.string()),
});

/** What a reload came to. */
export type ReloadReport = z.infer<typeof report>;

/** `POST /api/v1/config/reload`: reads the configuration file anew; 422 `config_refused`, and nothing changed. */
export function reloadRoute(api: Api, reload: (by: ChangeAuthor) => Promise<ReloadReport>): void {
  api.route({
    method: RELOAD.method,
    url: RELOAD.path,
    config: { contract: RELOAD },
    schema: {
      summary: "Read the configuration file anew and put it in force as a whole.",
      response: { 200: report },
      example: { answer: { restart_needed: ["workers"] } },
      errors: ["config_refused"],
    },
    handler: (request) => reload(authorOf(exchangeOf(request))),
  });
}
