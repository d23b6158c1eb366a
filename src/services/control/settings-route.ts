import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import type { Api } from "#platform/http/server.ts";

const SETTINGS: RouteContract = {
  method: "GET",
  path: "/api/v1/settings",
  action: "settings.manage",
  openWhileLocked: false,
  family: "api",
};
const setting = z.object({
  name: z.string(),
  /** As claviger.yaml writes it; what holds now. */
  value: z.unknown(),
  source: z.enum(["flag", "environment", "file", "default"]),
  /** Whether it was changed since the start, and holds only after the next one. */
  restart_needed: z.boolean(),
  about: z.string(),
});
const answer = z
  .object({
    /** The configuration file, where there is one. */
    file: z.string().nullable(),
    settings: z.array(setting),
  })
  .meta({ id: "SettingsInForce" });

/** The settings that hold now. */
export type SettingsInForce = z.infer<typeof answer>;

/** `GET /api/v1/settings`: no secret is a setting, so none is here. */
export function settingsRoute(api: Api, settings: () => SettingsInForce): void {
  api.route({
    method: SETTINGS.method,
    url: SETTINGS.path,
    config: { contract: SETTINGS },
    schema: {
      summary: "List the settings in force, where each is from, and which wait for a restart.",
      response: { 200: answer },
      example: {
        answer: {
          file: "/etc/claviger/claviger.yaml",
          settings: [
            {
              name: "workers",
              value: 1,
              source: "file",
              restart_needed: true,
              about: "How many threads serve the gateway.",
            },
          ],
        },
      },
    },
    handler: async () => settings(),
  });
}
