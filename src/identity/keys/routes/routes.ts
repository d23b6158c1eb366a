import type { PermissionSets } from "#gates/access/index.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { Api } from "#platform/http/server.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { createKeyRoute } from "./create-key.ts";
import { leakedKeyRoute } from "./leaked-key.ts";
import { listKeysRoute } from "./list-keys.ts";
import { revokeKeyRoute } from "./revoke-key.ts";
import { rotateKeyRoute } from "./rotate-key.ts";
import { showKeyRoute } from "./show-key.ts";
import { updateKeyRoute } from "./update-key.ts";

/** The API of the keys issued at run time: `/api/v1/keys`. */
export function keyRoutes(
  api: Api,
  parts: {
    keys: IssuedKeys;
    sets: PermissionSets;
    gates: Gates;
    /** Settles when the rows of all requests so far are in the store. */
    settle: () => Promise<void>;
    /** The name of the identity of the configuration file whose key this is. */
    identityOf: (text: string) => string | undefined;
  },
): void {
  createKeyRoute(api, parts);
  listKeysRoute(api, parts);
  showKeyRoute(api, parts);
  updateKeyRoute(api, parts);
  rotateKeyRoute(api, parts);
  revokeKeyRoute(api, parts);
  leakedKeyRoute(api, parts);
}
