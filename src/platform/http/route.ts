/**
 * What every route declares. `open` needs no credential; any other action is asked of the authorizer.
 * `family` decides where a credential may stand and whether an anonymous local caller may enter; those of `node` are for
 * the other nodes of the cluster alone, those of `page` are the web application.
 */
export interface RouteContract {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS";
  /** The template that stands in logs; never the client's own path. */
  readonly path: string;
  readonly action: string;
  /**
   * `local`: for the control socket alone, whose caller could read the store anyway. `navigation`: where a page is asked
   * for, as browsers do that are sent there.
   */
  readonly openWhileLocked: boolean | "local" | "navigation";
  /** It asks people for their password again, where they gave it over 15 minutes ago. */
  readonly asksPasswordAgain?: true;
  /** Open to somebody who must change his password first. */
  readonly beforePasswordChange?: true;
  /** What audit calls the change that is refused or fails, by whatever method it is asked for; the action unless given. */
  readonly audited?: string;
  readonly family: "api" | "gateway" | "probe" | "node" | "page";
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
/** The action of a route that is about the person who asks: everybody who signed in may. */
export const SELF = "self";
/** The action of a route for the control socket alone. */
export const CONTROL = "control";
