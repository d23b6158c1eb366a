import { IconHome, IconId, IconKey, type IconProps, IconShieldCheck, IconUsers } from "@tabler/icons-react";
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
    "/identities",
    {
      load: () => import("#features/access/identities-page.tsx"),
      nav: { label: "Identities", Icon: IconId, action: "identities.read" },
    },
  ],
  [
    "/users",
    {
      load: () => import("#features/access/users-page.tsx"),
      nav: { label: "Users", Icon: IconUsers, action: "users.manage" },
    },
  ],
  [
    "/permission-sets",
    {
      load: () => import("#features/access/permission-sets-page.tsx"),
      nav: { label: "Permission sets", Icon: IconShieldCheck, action: "identities.read" },
    },
  ],
  ["/profile", { load: () => import("#features/profile/page.tsx") }],
]);
