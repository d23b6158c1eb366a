import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const MOST = 50;

/** The models with this text in their names, as many as a list to choose from holds. */
export function findModels(search: string) {
  return queryOptions({
    queryKey: ["models", "to try", search],
    queryFn: async ({ signal }) =>
      (await call("GET /api/v1/models", { query: { limit: MOST, search }, signal })).data,
    placeholderData: keepPreviousData,
  });
}
