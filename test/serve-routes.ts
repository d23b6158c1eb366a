import { allows, permissionSets, rightsOf } from "#gates/access/index.ts";
import { openListener } from "#platform/http/listener.ts";
import { type Api, createHttpServer } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { createLog } from "#platform/log/log.ts";
import { listenerPolicy } from "./listener-policy.ts";

/**
 * A few routes behind the real pipeline and rights, until `parts` are disposed of; a credential names the permission set its
 * bearer holds. Gives the URL.
 */
export async function serveRoutes(
  parts: AsyncDisposableStack,
  clock: Clock,
  register: (api: Api) => void,
): Promise<string> {
  const { sets } = permissionSets({});
  const server = await createHttpServer({
    gates: {
      lock: { isLocked: () => false },
      authenticator: {
        authenticate: (presented) =>
          presented === undefined
            ? { refused: "missing" }
            : { caller: { kind: "key", id: "key_caller", permissionSets: [presented], slot: 0 } },
        holds: () => true,
      },
      addressLimit: { failed: () => undefined, waitS: () => undefined },
      callerLimits: { begin: () => undefined },
      authorizer: { allows: (caller, action, target) => allows(rightsOf(caller, sets), action, target) },
    },
    audit: { refused: () => {} },
    log: createLog({ level: "error", sink: { write: () => {} } }),
    tools: { clock, random: systemRandom },
    gateway: { contracts: () => [], serve: () => {} },
    register,
  });
  parts.defer(() => server.close());
  const listener = await openListener({
    target: { host: "127.0.0.1", port: 0 },
    policy: listenerPolicy(),
    front: server.front,
    newRequestId: () => "req_x",
    onBroken: () => {},
  });
  parts.defer(() => listener.close(0));
  return listener.url;
}

/** Asks such a server, as a bearer of this permission set. */
export function readAs(permissionSet: string, url: string): Promise<Response> {
  return fetch(url, { headers: { authorization: `Bearer ${permissionSet}`, connection: "close" } });
}
