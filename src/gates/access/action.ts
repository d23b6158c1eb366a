/** Everything a permission set can speak about. */
export const ACTIONS = [
  "gateway.use",
  "models.read",
  "nodes.read",
  "events.read",
  "usage.read",
  "requests.read",
  "audit.read",
  "metrics.read",
  "providers.manage",
  "routes.manage",
  "keys.manage",
  "identities.read",
  "users.manage",
  "settings.manage",
  "backup.create",
  "cluster.manage",
  "cluster.lock",
  "mitm.manage",
] as const;

export type Action = (typeof ACTIONS)[number];

/**
 * The actions whose rules may carry a pattern: matched against `provider/model` or `x/NAME` for the first two,
 * against the resource's name for the others.
 */
export const TARGETED_ACTIONS: ReadonlySet<Action> = new Set([
  "gateway.use",
  "models.read",
  "providers.manage",
  "routes.manage",
  "keys.manage",
  "identities.read",
]);
