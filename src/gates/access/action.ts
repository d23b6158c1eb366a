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

/** What holding each action permits, for whoever reads the documentation. */
export const PERMITS: Readonly<Record<Action, string>> = {
  "gateway.use": "call models and published APIs through the gateway",
  "models.read": "list the models the gateway serves",
  "nodes.read": "read the state of this server and of the cluster's nodes",
  "events.read": "follow the stream of events",
  "usage.read": "read what was used and what it cost",
  "requests.read": "read the log of requests",
  "audit.read": "read the audit log",
  "metrics.read": "read the metrics",
  "providers.manage": "see, add, change, test and remove providers and their credentials",
  "routes.manage": "see, add, change and remove routes of models",
  "keys.manage": "see, issue, change and revoke API keys, within the caller's own rights",
  "identities.read": "see the permission sets, and the identities of the configuration",
  "users.manage": "see, add, change and remove users, within the caller's own rights",
  "settings.manage": "initialize, unlock, rotate and lock the encryption, and reload the configuration",
  "backup.create": "make a backup",
  "cluster.manage": "begin a cluster, add nodes to it and remove them",
  "cluster.lock": "lock the whole cluster",
  "mitm.manage": "manage interception",
};
