import * as z from "zod";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { passwordText } from "../user.ts";
import { type AddressFailureCounter, judgePassword } from "./password-checks.ts";
import { personOf, placeOf, selfContract } from "./person-shape.ts";

const PATH = "/api/v1/me/reauthenticate";
const body = z.strictObject({ password: passwordText }).meta({ id: "PasswordAgain" });

/** `POST /api/v1/me/reauthenticate`: 204, and for 15 minutes the session may do what asks for the password again. */
export function reauthenticateRoute(
  api: Api,
  { people, addresses }: { readonly people: People; readonly addresses: AddressFailureCounter },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: {
      contract: selfContract("POST", PATH, { audited: "user.reauthenticate", servedOnLowDisk: true }),
    },
    schema: {
      summary: "Give the password again, as some calls ask for.",
      body,
      example: { body: { password: "an example of a password" } },
      errors: ["wrong_password"],
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id: userId, session: jti } = personOf(exchange);
      const { password } = request.body;
      const place = placeOf(exchange, request.headers["user-agent"]);
      await judgePassword(addresses, exchange, () =>
        people.signIn.reauthenticate({ userId, jti, password }, place),
      );
      return reply.code(204).send();
    },
  });
}
