import { describe, expect, test } from "vitest";
import * as z from "zod";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, withCookie } from "#test/people/person.ts";
import { corporaDirectory, readCorpus } from "./corpus.ts";

const one = z.object({ tcId: z.number(), jws: z.string() });
const schema = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(z.object({ tests: z.array(one) })),
});

describe.skipIf(corporaDirectory === undefined)("Wycheproof JSON Web Signature", () => {
  test("none is a session, and whoever is signed in still is", { timeout: 120_000 }, async () => {
    const corpus = readCorpus("wycheproof/json_web_signature_test.json", schema);
    const clock = new FakeClock();
    await using server = await startClaviger({ clock });
    const own = await firstPerson(server);
    const cases = corpus.testGroups.flatMap(({ tests }) => tests);
    for (const { tcId, jws } of cases) {
      // So that wrong ones are not yet too many for one address.
      clock.advance(1_000);
      // What no header can bear is sent as a form would write it.
      const value = /^[\x21-\x7e]*$/.test(jws) ? jws : encodeURIComponent(jws);
      const { status } = await server.call({ path: "/api/v1/me", headers: withCookie(value) });
      expect(status, `case ${tcId}`).toBe(401);
    }
    expect(cases).toHaveLength(corpus.numberOfTests);
    expect(await own.status({ path: "/api/v1/me" })).toBe(200);
  });
});
