/**
 * What every route declares. `open` needs no credential; any other action is asked of the authorizer.
 * `family` decides where a credential may stand and whether an anonymous local caller may enter.
 */
export interface RouteContract {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS";
  /** The template that stands in logs; never the client's own path. */
  readonly path: string;
  readonly action: string;
  readonly openWhileLocked: boolean;
  readonly family: "api" | "gateway" | "probe";
}

/** The action of a route that is open without credentials. */
export const OPEN = "open";
