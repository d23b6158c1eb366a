import { IconApi, IconHome, IconKey, IconListCheck, type IconProps, IconSettings } from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Action } from "#lib/api-types.ts";

type Load = () => Promise<{ readonly default: ComponentType }>;

interface PageEntry {
  /** Its own chunk, read when the page is opened. */
  readonly load: Load;
  /** In the navigation, for who may do `action`. */
  readonly nav?: {
    readonly label: string;
    readonly Icon: ComponentType<IconProps>;
    readonly action?: Action;
  };
}

/** Every page by its path, in the order of the navigation. The paths are those of pages.json. */
export const PAGES: ReadonlyMap<string, PageEntry> = new Map([
  ["/", { load: () => import("#features/overview/page.tsx"), nav: { label: "Overview", Icon: IconHome } }],
  [
    "/keys",
    {
      load: () => import("#features/keys/page.tsx"),
      nav: { label: "API keys", Icon: IconKey, action: "keys.manage" },
    },
  ],
  [
    "/audit",
    {
      load: () => import("#features/audit/page.tsx"),
      nav: { label: "Audit", Icon: IconListCheck, action: "audit.read" },
    },
  ],
  [
    "/settings",
    {
      load: () => import("#features/settings/page.tsx"),
      nav: { label: "Settings", Icon: IconSettings, action: "settings.manage" },
    },
  ],
  ["/settings/server-key", { load: () => import("#features/server-key/page.tsx") }],
  ["/settings/backup", { load: () => import("#features/settings/backup-page.tsx") }],
  [
    "/docs/api",
    {
      load: () => import("#features/api-docs/page.tsx"),
      nav: { label: "API", Icon: IconApi, action: "models.read" },
    },
  ],
  ["/profile", { load: () => import("#features/profile/page.tsx") }],
]);
