import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { FIRST_STEPS, FirstRun, type FirstRunState } from "./first-run.ts";

const PATH = "/api/v1/first-run";
const state = z
  .strictObject({
    open: z.boolean().describe("Whether the dashboard still leads through the first steps."),
    skipped: z.array(z.enum(FIRST_STEPS)).max(FIRST_STEPS.length).describe("What was left out."),
  })
  .meta({ id: "FirstRun" });
const EXAMPLE: z.infer<typeof state> = { open: true, skipped: ["cluster"] };

const contract = (method: RouteContract["method"]): RouteContract => ({
  method,
  path: PATH,
  action: "settings.manage",
  openWhileLocked: false,
  family: "api",
});

/** `GET` and `PUT /api/v1/first-run`: how far a new server's owner is with the first steps. */
export function firstRunRoutes(api: Api, parts: ConstructorParameters<typeof FirstRun>[0]): void {
  const firstRun = new FirstRun(parts);
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: contract("GET") },
    schema: {
      summary: "Tell whether a new server is still being set up, and what was left out.",
      response: { 200: state },
      example: { answer: EXAMPLE },
    },
    handler: async () => answerOf(await firstRun.read()),
  });
  api.route({
    method: "PUT",
    url: PATH,
    config: { contract: { ...contract("PUT"), audited: "first_run.change" } },
    schema: {
      summary: "Leave out a step of setting a new server up, or end it.",
      body: state,
      response: { 200: state },
      example: { body: EXAMPLE, answer: EXAMPLE },
    },
    handler: async (request) => {
      await firstRun.write(request.body, authorOf(exchangeOf(request)));
      return answerOf(await firstRun.read());
    },
  });
}

function answerOf({ open, skipped }: FirstRunState): z.infer<typeof state> {
  return { open, skipped: [...skipped] };
}
