import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { Api } from "#platform/http/server.ts";
import { type ListenersInForce, listenersRoute } from "./listeners-route.ts";
import { type ReloadReport, reloadRoute } from "./reload-route.ts";
import { type SettingsInForce, settingsRoute } from "./settings-route.ts";

export type { ReloadReport };

/** What the configuration is, and how it is read anew. */
export interface RunningConfig {
  reload(by: ChangeAuthor): Promise<ReloadReport>;
  settings(): SettingsInForce;
  listeners(): ListenersInForce;
}

/** The part of the API about the configuration; `config` is there once the server is. */
export function configRoutes(api: Api, config: () => RunningConfig): void {
  reloadRoute(api, (by) => config().reload(by));
  settingsRoute(api, () => config().settings());
  listenersRoute(api, () => config().listeners());
}
