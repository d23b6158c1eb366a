/**
 * What every route declares. `open` needs no credential; any other action is asked of the authorizer.
 * `family` decides where a credential may stand and whether an anonymous local caller may enter.
 */
export interface RouteContract {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS";
  /** The template that stands in logs; never the client's own path. */
  readonly path: string;
  readonly action: string;
  /** `local`: for the control socket alone, whose caller could read the store anyway. */
  readonly openWhileLocked: boolean | "local";
  /** What audit calls the change that is refused or fails, by whatever method it is asked for; the action unless given. */
  readonly audited?: string;
  readonly family: "api" | "gateway" | "probe";
  /** What the API's description says of a route that the framework does not serve; the others declare a schema. */
  readonly described?: {
    /** One sentence. */
    readonly summary: string;
    /** In whose shape its clients read errors; of two the request decides. */
    readonly dialects: readonly ("openai" | "anthropic")[];
    /** The media types of the bodies it takes. */
    readonly bodies: readonly string[];
  };
}

/** The action of a route that is open without credentials. */
export const OPEN = "open";
