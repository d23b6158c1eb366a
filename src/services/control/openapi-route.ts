import * as z from "zod";
import { openApiDocument } from "#platform/http/openapi.ts";
import type { RouteContract } from "#platform/http/route.ts";
import type { Api, DeclaredRoute } from "#platform/http/server.ts";

const OPENAPI: RouteContract = {
  method: "GET",
  path: "/api/v1/openapi.json",
  // Every built-in permission set holds it: whoever may see what is served may read how it is asked for.
  action: "models.read",
  openWhileLocked: false,
  family: "api",
};
const answer = z.looseObject({ openapi: z.string() });

/** `GET /api/v1/openapi.json`: the description of every route this server has, itself among them. */
export function openapiRoute(
  api: Api,
  parts: { readonly version: string; readonly routes: () => readonly DeclaredRoute[] },
): void {
  let document: z.infer<typeof answer> | undefined;
  api.route({
    method: OPENAPI.method,
    url: OPENAPI.path,
    config: { contract: OPENAPI },
    schema: {
      summary: "Describe this API (OpenAPI 3.1).",
      response: { 200: answer },
      example: { answer: { openapi: "3.1.1" } },
    },
    handler: async () =>
      (document ??= answer.parse(openApiDocument({ version: parts.version, routes: parts.routes() }))),
  });
}
