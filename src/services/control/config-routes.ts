import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { Api } from "#platform/http/server.ts";
import { type ReloadReport, reloadRoute } from "./reload-route.ts";
import { type SettingsInForce, settingsRoute } from "./settings-route.ts";

export type { ReloadReport, SettingsInForce };

/** What the configuration is, and how it is read anew. */
interface Config {
  reload(by: ChangeAuthor): Promise<ReloadReport>;
  settings(): SettingsInForce;
}

/** The part of the API about the configuration; `config` is there once the server is. */
export function configRoutes(api: Api, config: () => Config): void {
  reloadRoute(api, (by) => config().reload(by));
  settingsRoute(api, () => config().settings());
}
