import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { mustBe, personOf, selfContract } from "./person-shape.ts";
import { userContract, userParams } from "./user-shape.ts";

const PATH = "/api/v1/me/second-factor";
const OF_USER = "/api/v1/users/:id/second-factor";
const OF_USER_PATH = "/api/v1/users/{id}/second-factor";
const enrolment = z.object({ secret: z.string(), uri: z.string() }).meta({ id: "SecondFactor" });
const codeBody = z
  .strictObject({ code: z.string().regex(/^\d{6}$/, "a code has six digits") })
  .meta({ id: "SecondFactorCode" });
const codes = z.object({ recovery_codes: z.array(z.string()) }).meta({ id: "RecoveryCodes" });

interface Parts {
  readonly people: People;
  readonly sets: PermissionSets;
}

/**
 * Second factors: `POST` begins with one's own, `POST …/confirm` has it asked for, `DELETE` takes it off; also another's, for
 * who may give him another password, and so could sign in as him anyway.
 */
export function secondFactorRoutes(api: Api, parts: Parts): void {
  beginRoute(api, parts.people);
  confirmRoute(api, parts.people);
  removeOwnRoute(api, parts.people);
  beginOfUserRoute(api, parts);
  confirmOfUserRoute(api, parts);
  removeRoute(api, parts);
}

function beginRoute(api: Api, people: People): void {
  const more = { audited: "user.second_factor.begin", asksPasswordAgain: true } as const;
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: selfContract("POST", PATH, more) },
    schema: {
      summary: "Begin with a second factor: the seed for an authenticator app, shown this once.",
      response: { 200: enrolment },
      example: { answer: { secret: "…", uri: "otpauth://totp/Claviger%3Aadmin?secret=…&issuer=Claviger" } },
      errors: ["conflict"],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      const user = mustBe(people.parts.held.user(personOf(exchange).id));
      return people.parts.factors.begin(user, authorOf(exchange));
    },
  });
}

function confirmRoute(api: Api, people: People): void {
  const path = `${PATH}/confirm`;
  api.route({
    method: "POST",
    url: path,
    config: { contract: selfContract("POST", path, { audited: "user.second_factor.on" }) },
    schema: {
      summary: "Have the second factor asked for at each sign-in; the recovery codes are answered this once.",
      body: codeBody,
      response: { 200: codes },
      example: { body: { code: "123456" }, answer: { recovery_codes: ["…"] } },
      errors: ["conflict", "wrong_code"],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      const user = mustBe(people.parts.held.user(personOf(exchange).id));
      const { code } = request.body;
      return { recovery_codes: await people.parts.factors.confirm(user, code, authorOf(exchange)) };
    },
  });
}

function removeOwnRoute(api: Api, people: People): void {
  const more = { audited: "user.second_factor.off", asksPasswordAgain: true, servedOnLowDisk: true } as const;
  api.route({
    method: "DELETE",
    url: PATH,
    config: { contract: selfContract("DELETE", PATH, more) },
    schema: { summary: "Take one's own second factor off." },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const user = mustBe(people.parts.held.user(personOf(exchange).id));
      await people.parts.factors.remove(user, authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

function beginOfUserRoute(api: Api, { people, sets }: Parts): void {
  const more = { audited: "user.second_factor.begin", openWhileLocked: "local" } as const;
  api.route({
    method: "POST",
    url: OF_USER,
    config: { contract: userContract("POST", OF_USER_PATH, more) },
    schema: {
      summary: "Begin with a second factor for a user: the seed for an authenticator app, shown this once.",
      params: userParams,
      response: { 200: enrolment },
      example: { answer: { secret: "…", uri: "otpauth://totp/Claviger%3Amaria?secret=…&issuer=Claviger" } },
      errors: ["exceeds_own_rights", "conflict"],
    },
    handler: async (request) => {
      const by = authorOf(exchangeOf(request));
      return people.parts.factors.begin(people.changes.changeable(request.params.id, { by, sets }), by);
    },
  });
}

function confirmOfUserRoute(api: Api, { people, sets }: Parts): void {
  const more = { audited: "user.second_factor.on", openWhileLocked: "local" } as const;
  api.route({
    method: "POST",
    url: `${OF_USER}/confirm`,
    config: { contract: userContract("POST", `${OF_USER_PATH}/confirm`, more) },
    schema: {
      summary:
        "Have a user's second factor asked for at each sign-in; the recovery codes are answered this once.",
      params: userParams,
      body: codeBody,
      response: { 200: codes },
      example: { body: { code: "123456" }, answer: { recovery_codes: ["…"] } },
      errors: ["exceeds_own_rights", "conflict", "wrong_code"],
    },
    handler: async (request) => {
      const by = authorOf(exchangeOf(request));
      const user = people.changes.changeable(request.params.id, { by, sets });
      return { recovery_codes: await people.parts.factors.confirm(user, request.body.code, by) };
    },
  });
}

function removeRoute(api: Api, { people, sets }: Parts): void {
  const more = {
    audited: "user.second_factor.off",
    openWhileLocked: "local",
    servedOnLowDisk: true,
  } as const;
  api.route({
    method: "DELETE",
    url: OF_USER,
    config: { contract: userContract("DELETE", OF_USER_PATH, more) },
    schema: {
      summary: "Take a user's second factor off, for who lost it.",
      params: userParams,
      errors: ["exceeds_own_rights"],
    },
    handler: async (request, reply) => {
      const by = authorOf(exchangeOf(request));
      await people.parts.factors.remove(people.changes.changeable(request.params.id, { by, sets }), by);
      return reply.code(204).send();
    },
  });
}
