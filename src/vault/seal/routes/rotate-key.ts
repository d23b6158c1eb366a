import * as z from "zod";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Log } from "#platform/log/log.ts";
import type { ServerKey } from "../server-key.ts";
import type { KeyChecks } from "./key-checks.ts";
import { guardedContract, keyText, progressShape, serverKey } from "./key-shape.ts";
import { requireUnlocked, throwInPlace } from "./not-while-locked.ts";

const PATH = "/api/v1/key/rotate";
const body = z.strictObject({ current_key: keyText, new_key: keyText }).meta({ id: "ServerKeyRotation" });
const report = z
  .object({
    resealed: z.number(),
    skipped: z.number(),
    failed: z.array(z.object({ table: z.string(), id: z.string() })),
  })
  .meta({ id: "ResealReport" });

/** Proxies give up after a minute, and some sooner. */
const ANSWER_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

/**
 * `POST /api/v1/key/rotate`: 200 with what was re-sealed once that has ended, 202 with its progress after 30 seconds;
 * 403 `wrong_key`, and nothing changed; 503 `reseal_unfinished` where the new key holds and the rest broke off. Equal keys re-seal once more what could not be.
 */
export function rotateKeyRoute(
  api: Api,
  parts: {
    readonly seal: ServerKey;
    readonly checks: KeyChecks;
    readonly clock: Clock;
    readonly log: Pick<Log, "error">;
  },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: guardedContract("POST", PATH, "key.rotate") },
    schema: {
      summary: "Change the server key, and re-seal every stored secret under new keys.",
      body,
      response: { 200: report, 202: progressShape },
      example: {
        body: { current_key: "an example of a server key", new_key: "another example of one" },
        answer: { resealed: 12, skipped: 0, failed: [] },
      },
      errors: [
        "key_not_initialized",
        "key_too_short",
        "key_too_long",
        "wrong_key",
        "seal_busy",
        "server_locked",
        "reseal_unfinished",
      ],
    },
    handler: async (request, reply) => {
      const { seal, checks } = parts;
      const current = serverKey(request.body.current_key);
      const next = serverKey(request.body.new_key);
      requireUnlocked(seal);
      const rotating = checks.run(exchangeOf(request), (by) => seal.rotate({ current, next }, by));
      const done = await within(ANSWER_WITHIN_MS, rotating, parts.clock).catch(throwInPlace);
      if (done === undefined) {
        // Nobody waits for it any more.
        rotating.catch((error: unknown) =>
          parts.log.error(
            { detail: String(error) },
            "sealing the secrets anew has failed; rotate with equal keys",
          ),
        );
        return reply.code(202).send(seal.resealProgress());
      }
      return { ...done, failed: [...done.failed] };
    },
  });
}

/** What `work` gives, or undefined when it is not there in time; then it goes on, and whoever watches it sees how it ends. */
async function within<Result>(ms: number, work: Promise<Result>, clock: Clock): Promise<Result | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const beganMs = clock.now();
  const looking = setInterval(() => {
    if (clock.now() - beganMs >= ms) resolve(undefined);
  }, LOOK_EVERY_MS);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearInterval(looking);
  }
}
