import type { PermissionSets } from "#gates/access/index.ts";
import type { Api } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { changePasswordRoute } from "./change-password.ts";
import { createUserRoute } from "./create-user.ts";
import { listUsersRoute } from "./list-users.ts";
import { logInRoute } from "./log-in.ts";
import { logOutRoute } from "./log-out.ts";
import { ownSessionsRoutes } from "./own-sessions.ts";
import type { AddressFailureCounter } from "./password-checks.ts";
import { reauthenticateRoute } from "./reauthenticate.ts";
import { removeUserRoute } from "./remove-user.ts";
import { secondFactorRoutes } from "./second-factor.ts";
import { setPasswordRoute } from "./set-password.ts";
import { setupCodeRoute } from "./setup-code.ts";
import { showMeRoute } from "./show-me.ts";
import { updateUserRoute } from "./update-user.ts";

/** The API of people. `addresses` is what counts wrong credentials by address. */
export function peopleRoutes(
  api: Api,
  parts: {
    readonly people: People;
    readonly sets: PermissionSets;
    readonly addresses: AddressFailureCounter;
  },
): void {
  logInRoute(api, parts);
  logOutRoute(api, parts.people);
  showMeRoute(api, parts);
  changePasswordRoute(api, parts);
  reauthenticateRoute(api, parts);
  ownSessionsRoutes(api, parts);
  setupCodeRoute(api, parts.people);
  listUsersRoute(api, parts);
  createUserRoute(api, parts);
  updateUserRoute(api, parts);
  setPasswordRoute(api, parts);
  removeUserRoute(api, parts);
  secondFactorRoutes(api, parts);
}
