import {
  IconApi,
  IconBrain,
  IconChartBar,
  IconDoorEnter,
  IconHome,
  IconId,
  IconKey,
  IconListCheck,
  IconListDetails,
  IconPlayerPlay,
  IconPlugConnected,
  type IconProps,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconTopologyStar3,
  IconUsers,
} from "@tabler/icons-react";
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
    /** Only for as long as a new server is being set up. */
    readonly whileNew?: true;
  };
}

/** Every page by its path, in the order of the navigation. The paths are those of pages.json. */
export const PAGES: ReadonlyMap<string, PageEntry> = new Map([
  [
    "/welcome",
    {
      load: () => import("./welcome/page.tsx"),
      nav: { label: "First steps", Icon: IconRoute, action: "settings.manage", whileNew: true },
    },
  ],
  ["/", { load: () => import("#features/overview/page.tsx"), nav: { label: "Overview", Icon: IconHome } }],
  [
    "/requests",
    {
      load: () => import("#features/requests/page.tsx"),
      nav: { label: "Requests", Icon: IconListDetails, action: "requests.read" },
    },
  ],
  [
    "/usage",
    {
      load: () => import("#features/usage/page.tsx"),
      nav: { label: "Usage", Icon: IconChartBar, action: "usage.read" },
    },
  ],
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
  [
    "/providers",
    {
      load: () => import("#features/providers/page.tsx"),
      nav: { label: "Providers", Icon: IconPlugConnected, action: "providers.manage" },
    },
  ],
  ["/providers/:name", { load: () => import("#features/providers/provider-page.tsx") }],
  [
    "/models",
    {
      load: () => import("#features/providers/models/page.tsx"),
      nav: { label: "Models", Icon: IconBrain, action: "models.read" },
    },
  ],
  [
    "/try",
    {
      load: () => import("#features/providers/try/page.tsx"),
      nav: { label: "Try it", Icon: IconPlayerPlay, action: "gateway.use" },
    },
  ],
  [
    "/nodes",
    {
      load: () => import("#features/nodes/page.tsx"),
      nav: { label: "Cluster", Icon: IconTopologyStar3, action: "nodes.read" },
    },
  ],
  [
    "/listeners",
    {
      load: () => import("#features/listeners/page.tsx"),
      nav: { label: "Listeners", Icon: IconDoorEnter, action: "settings.manage" },
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
