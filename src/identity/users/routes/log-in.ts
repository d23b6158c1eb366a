import * as z from "zod";
import { OPEN, type RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { People } from "../people.ts";
import { FIRST_USER, passwordText } from "../user.ts";
import { type AddressFailureCounter, judgePassword } from "./password-checks.ts";
import { placeOf, showSignedIn, signedInExample, signedInShape } from "./person-shape.ts";

const PATH = "/login/password";
const LONGEST_NAME = 256;
const LONGEST_CODE = 64;
const body = z
  .strictObject({
    username: z.string().max(LONGEST_NAME).default(FIRST_USER),
    password: passwordText,
    code: z.string().min(1).max(LONGEST_CODE).optional(),
  })
  .meta({ id: "Password" });
const contract: RouteContract = {
  method: "POST",
  path: PATH,
  action: OPEN,
  audited: "user.login",
  openWhileLocked: true,
  servedOnLowDisk: true,
  family: "api",
};

/**
 * `POST /login/password`: 200 with the session cookie; 401 `sign_in_refused` for a wrong password and for an unknown user
 * alike, 401 `second_factor_required` where a code is wanted too; 401 `invalid_token` on a listener that lets no users in.
 */
export function logInRoute(
  api: Api,
  { people, addresses }: { readonly people: People; readonly addresses: AddressFailureCounter },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract },
    schema: {
      summary: "Sign in: the answer sets the session cookie.",
      body,
      response: { 200: signedInShape },
      example: { body: { username: FIRST_USER, password: "123456" }, answer: signedInExample },
      errors: ["sign_in_refused", "second_factor_required", "invalid_token", "rate_limited"],
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { entry, secure } = exchange.listener;
      if (entry.kind === "listed" && !entry.users) throw new AppError("invalid_token");
      const username = request.body.username.normalize("NFKC").toLowerCase();
      const { password, code } = request.body;
      const place = placeOf(exchange, request.headers["user-agent"]);
      const signedIn = await judgePassword(addresses, exchange, () =>
        people.signIn.signIn({ username, password, code }, place),
      );
      reply.header("set-cookie", await people.parts.sessions.cookieFor(signedIn.session, secure));
      return showSignedIn(signedIn);
    },
  });
}
