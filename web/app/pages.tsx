import { IconChartBar, IconHome, IconKey, IconListDetails, type IconProps } from "@tabler/icons-react";
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
  ["/profile", { load: () => import("#features/profile/page.tsx") }],
]);
