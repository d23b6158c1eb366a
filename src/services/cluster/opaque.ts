import type * as Opaque from "@serenity-kit/opaque";
import { Secret } from "#platform/lib/secret.ts";

/**
 * What a client of OPAQUE stretches the PIN with before it asks: argon2id, 19 MiB, 2 passes. It must be the same at
 * registration and at every login. To who holds a member's files a guess costs as much here as it does at the token.
 */
export const PIN_STRETCHING = {
  "argon2id-custom": { memory: 19_456, iterations: 2, parallelism: 1 },
} as const satisfies Opaque.client.FinishLoginParams["keyStretching"];

/** OPAQUE (RFC 9807), which is WebAssembly: loaded when it is first needed, not at the start of every server. */
export async function loadOpaque(): Promise<Pick<typeof Opaque, "client" | "server">> {
  const opaque = await import("@serenity-kit/opaque");
  await opaque.ready;
  return opaque;
}

/** A registration with the PIN: a new server setup of the library, and the record that a responder needs beside it. */
export async function registerPin(
  pin: Secret,
  clusterId: string,
): Promise<{ readonly serverSetup: Secret; readonly record: string }> {
  const { client, server } = await loadOpaque();
  const serverSetup = server.createSetup();
  const password = pin.expose();
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password });
  const { registrationResponse } = server.createRegistrationResponse({
    serverSetup,
    userIdentifier: clusterId,
    registrationRequest,
  });
  const { registrationRecord } = client.finishRegistration({
    password,
    clientRegistrationState,
    registrationResponse,
    keyStretching: PIN_STRETCHING,
  });
  return { serverSetup: new Secret(serverSetup), record: registrationRecord };
}
