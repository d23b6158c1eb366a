import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import paths from "../pages.json" with { type: "json" };
import { NotFoundPage } from "./not-found-page.tsx";
import { PageError } from "./page-error.tsx";
import { PAGES } from "./pages.tsx";
import { Shell } from "./shell.tsx";

const PARAMETER = /:(\w+)/g;

/** The pages of pages.json, which the server reads too; an error where that list and the pages differ. */
export function createAppRouter() {
  const unlisted = [...PAGES.keys()].filter((path) => !paths.includes(path));
  if (unlisted.length > 0) throw new Error(`pages.json lacks ${unlisted.join(", ")}`);
  const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });
  const routes = paths.map((path) => {
    const page = PAGES.get(path);
    if (page === undefined) throw new Error(`pages.json has ${path}, and no page is there`);
    return createRoute({
      getParentRoute: () => root,
      path: path.replace(PARAMETER, "$$$1"),
      component: lazyRouteComponent(page.load),
    });
  });
  return createRouter({
    routeTree: root.addChildren(routes),
    defaultPreload: "intent",
    defaultErrorComponent: PageError,
    // Words as they are, so that an address can be written by hand: ?status=429.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch,
  });
}

function stringifySearch(words: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(words).flatMap(([name, word]) =>
    word === undefined || word === "" ? [] : [[name, String(word)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
