import { createContext, useContext } from "react";
import type { Schemas } from "#lib/api-types.ts";

/** Who signed in, for every page. */
export const MeContext = createContext<Schemas["Me"] | null>(null);

/** Who signed in. Only for what is shown to somebody who did. */
export function useMe(): Schemas["Me"] {
  const me = useContext(MeContext);
  if (me === null) throw new Error("a page without a person");
  return me;
}
