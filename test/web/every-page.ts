import { readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import * as z from "zod";
import type { TestClaviger } from "#test/claviger.ts";
import { freshKey } from "#test/seal-http/bench.ts";
import { signIn, startBrowser, type Visit, wholePage } from "./browser.ts";
import { startEmptyServer, startSeededServer } from "./seeded.ts";

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

/** What stands before the pages or in their place, by the heading it shows. */
export const BEFORE_PAGES = [
  "Sign in",
  "Set a password of your own",
  "The server is locked",
  "There is no such page",
] as const;

export interface EveryPage extends AsyncDisposable {
  /** The one tab, which shows all of a page, or of what stands in its place. */
  open(place: string): Promise<Page>;
  /** What was wrong since this was last asked. */
  faults(): readonly string[];
}

const NOWHERE = "/no/such/page";

/** One seeded server and one browser, for the tests that walk all pages. */
export async function startEveryPage(): Promise<EveryPage> {
  await using stack = new AsyncDisposableStack();
  const browser = stack.use(await startBrowser());
  const seeded = stack.use(await startSeededServer());
  const locked = stack.use(await startEmptyServer());
  await lock(locked.claviger);
  const visits: Visit[] = [];
  const begin = async (url: string, person?: { readonly username: string; readonly password: string }) => {
    const visit = stack.use(await browser.visit(url));
    visits.push(visit);
    if (person === undefined) return visit;
    const page = await visit.openPage();
    await page.goto("/");
    await signIn(page, person);
    await page.close();
    return visit;
  };
  const inside = await begin(seeded.claviger.url, seeded.admin);
  const before: Record<string, Visit> = {
    "Sign in": await begin(seeded.claviger.url),
    "Set a password of your own": await begin(seeded.claviger.url, seeded.newcomer),
    "The server is locked": await begin(locked.claviger.url, locked.admin),
  };
  const owned = stack.move();
  let shown: Page | undefined;
  return {
    open: async (place) => {
      const visit = before[place] ?? inside;
      // Each tab holds a connection for its events, of the six that a browser opens to a server.
      await shown?.close();
      const page = await visit.openPage();
      shown = page;
      const isPage = place.startsWith("/");
      const address = isPage ? addressOf(place, seeded.parameters) : "/";
      await page.goto(place === "There is no such page" ? NOWHERE : address);
      await wholePage(page);
      if (!isPage) await page.getByRole("heading", { level: 1, name: place }).waitFor();
      return page;
    },
    faults: () =>
      visits
        .flatMap(({ faults }) => faults.splice(0))
        .filter((fault) => !(fault.startsWith("answered 404: ") && fault.endsWith(NOWHERE))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function lock(claviger: TestClaviger): Promise<void> {
  const post = (path: string, body?: unknown) => claviger.control({ method: "POST", path, body });
  const { status } = await post("/api/v1/key/initialize", { key: freshKey() });
  if (status !== 200 || (await post("/api/v1/key/lock")).status !== 200) throw new Error("it is not locked");
}
