import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { firstRequest } from "#features/first-run/api/first-request.ts";
import { firstRun } from "#features/first-run/api/first-run.ts";
import { listKeys } from "#features/keys/api/list-keys.ts";
import { clusterStatus } from "#features/nodes/api/cluster-status.ts";
import { listProviders } from "#features/providers/api/list-providers.ts";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import type { Schemas } from "#lib/api-types.ts";

export type StepName = Schemas["FirstRun"]["skipped"][number];

/** How the server stands, of which each step tells whether it is done. */
export interface Standing {
  readonly run: Schemas["FirstRun"];
  readonly done: ReadonlySet<StepName>;
  readonly providers: readonly string[];
}

/** What is there already; null while that is asked. */
export function useStanding(): { readonly standing: Standing | null; readonly error: unknown } {
  const run = useQuery(firstRun());
  const key = useQuery(keyStatus());
  const cluster = useQuery(clusterStatus());
  const providers = useInfiniteQuery(listProviders());
  const keys = useInfiniteQuery(listKeys({ state: "in_force", limit: 1 }));
  const request = useQuery(firstRequest());
  const asked = [run, key, cluster, providers, keys, request];
  const error = asked.find((each) => each.error !== null)?.error ?? null;
  if (run.data === undefined || asked.some((each) => each.isPending)) return { standing: null, error };
  const names = providers.data?.pages.flatMap(({ data }) => data.map(({ name }) => name)) ?? [];
  const inForce = keys.data?.pages.flatMap(({ data }) => data) ?? [];
  const facts: Readonly<Record<StepName, boolean>> = {
    server_key: key.data?.initialized === true,
    cluster: cluster.data?.status === "member",
    provider: names.length > 0,
    key: inForce.length > 0,
    tool: (request.data?.data.length ?? 0) > 0,
  };
  const done = STEPS.filter((step) => facts[step]);
  return { standing: { run: run.data, done: new Set(done), providers: names }, error };
}

/** In the order in which they are gone through. */
export const STEPS: readonly StepName[] = ["server_key", "cluster", "provider", "key", "tool"];

/** Whether nothing is left to do of it. */
export function isSettled({ done, run }: Standing, step: StepName): boolean {
  return done.has(step) || run.skipped.includes(step);
}

/** The first that is neither done nor left out; null where none is. */
export function nextStep(standing: Standing): StepName | null {
  return STEPS.find((step) => !isSettled(standing, step)) ?? null;
}
