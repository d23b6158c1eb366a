import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { isProblem } from "#lib/api-problem.ts";

/** Who signed in; null where nobody is. */
export function whoAmI() {
  return queryOptions({
    queryKey: ["me"],
    queryFn: async ({ signal }) => {
      try {
        return await call("GET /api/v1/me", { signal });
      } catch (error) {
        if (isProblem(error, "invalid_token")) return null;
        throw error;
      }
    },
  });
}
