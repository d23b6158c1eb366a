import * as z from "zod";
import { CONTROL } from "#platform/http/route.ts";
import type { Api } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { People } from "../people.ts";

const PATH = "/api/v1/setup-code";

/** `POST /api/v1/setup-code`, over the control socket alone: what the first user signs in with, once. */
export function setupCodeRoute(api: Api, people: People): void {
  api.route({
    method: "POST",
    url: PATH,
    config: {
      contract: {
        method: "POST",
        path: PATH,
        action: CONTROL,
        audited: "user.setup_code",
        openWhileLocked: "local",
        servedOnLowDisk: true,
        family: "api",
      },
    },
    schema: {
      summary: "Show the setup code that the first user signs in with, once; for the control socket alone.",
      response: { 200: z.object({ username: z.string(), code: z.string() }).meta({ id: "SetupCode" }) },
      example: { answer: { username: "admin", code: "…" } },
      errors: ["conflict"],
    },
    handler: async () => {
      const code = people.setupCode();
      if (code === undefined) throw new AppError("conflict", SET_UP);
      return { username: "admin", code };
    },
  });
}

const SET_UP = "Somebody has a password here already; another one is set with: claviger user passwd NAME";
