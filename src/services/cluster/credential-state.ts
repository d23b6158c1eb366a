import type { Log } from "#platform/log/log.ts";
import type { StoredCredentials } from "./credential-files.ts";

/** A line of the log for what the files are now. */
export function tellState(log: Log, state: StoredCredentials): void {
  switch (state.status) {
    case "closed":
      return log.error(
        { reason: `${state.reason}; repair: ${state.repair}` },
        "the cluster's routes are closed: its credentials are not as they must be",
      );
    case "member":
      return log.info({ name: state.credentials.clusterId }, "the cluster's credentials are in force");
    case "none":
      return log.warn({}, "the cluster's credentials are gone: this server is in no cluster");
    default:
      return state satisfies never;
  }
}

/** Equal for equal states; it holds secrets. */
export function stateText(state: StoredCredentials): string {
  if (state.status !== "member") return JSON.stringify(state);
  const { salt, pepper, opaque, memberToken, nodeKey, ...plain } = state.credentials;
  const secrets = [pepper, opaque.serverSetup, memberToken, nodeKey].map((secret) => secret.expose());
  return JSON.stringify([plain, salt.toString("base64url"), opaque.record, secrets]);
}
