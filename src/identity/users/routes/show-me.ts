import * as z from "zod";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import {
  mustBe,
  personOf,
  selfContract,
  showSignedIn,
  signedInExample,
  signedInShape,
} from "./person-shape.ts";

const PATH = "/api/v1/me";

/** `GET /api/v1/me`: who signed in, and what he has to do before anything else, and whether his second factor is on. */
export function showMeRoute(api: Api, people: People): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: selfContract("GET", PATH, { beforePasswordChange: true }) },
    schema: {
      summary: "Tell who signed in.",
      response: { 200: signedInShape.extend({ second_factor: z.boolean() }).meta({ id: "Me" }) },
      example: { answer: { ...signedInExample, second_factor: false } },
    },
    handler: async (request) => {
      const user = mustBe(people.parts.held.user(personOf(exchangeOf(request)).id));
      return { ...showSignedIn({ user }), second_factor: await people.parts.factors.isOn(user.id) };
    },
  });
}
