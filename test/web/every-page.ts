import { readFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";

const LIST = path.resolve(import.meta.dirname, "../../web/pages.json");

/** The paths of all pages, as the server and the router read them. */
export const PAGE_PATHS = z.array(z.string()).parse(JSON.parse(readFileSync(LIST, "utf8")));
/** A telephone, a tablet, a desk. */
export const WIDTHS = [390, 820, 1440] as const;
export const THEMES = ["light", "dark"] as const;

/** The address of a page: `parameters` in the places of those of its path. */
export function addressOf(page: string, parameters: Readonly<Record<string, string>>): string {
  return page.replace(/:(\w+)/g, (_whole, name: string) => parameters[name] ?? name);
}
