import * as z from "zod";
import { heldActions, type PermissionSets, rightsOf } from "#gates/access/index.ts";
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
const meShape = signedInShape
  .extend({ second_factor: z.boolean(), actions: z.array(z.string()) })
  .meta({ id: "Me" });

/**
 * `GET /api/v1/me`: who signed in, what he has to do before anything else, whether his second factor is on, and the actions
 * that his permission sets allow him on something at least.
 */
export function showMeRoute(
  api: Api,
  { people, sets }: { readonly people: People; readonly sets: PermissionSets },
): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: selfContract("GET", PATH, { beforePasswordChange: true }) },
    schema: {
      summary: "Tell who signed in, and what he may do.",
      response: { 200: meShape },
      example: { answer: { ...signedInExample, second_factor: false, actions: ["users.manage"] } },
    },
    handler: async (request) => {
      const caller = personOf(exchangeOf(request));
      const user = mustBe(people.parts.held.user(caller.id));
      return {
        ...showSignedIn({ user }),
        second_factor: await people.parts.factors.isOn(user.id),
        actions: heldActions(rightsOf(caller, sets)),
      };
    },
  });
}
