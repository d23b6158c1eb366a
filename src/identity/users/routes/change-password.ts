import * as z from "zod";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { passwordText } from "../user.ts";
import { type AddressFailureCounter, judgePassword } from "./password-checks.ts";
import { personOf, placeOf, selfContract } from "./person-shape.ts";

const PATH = "/api/v1/me/password";
const body = z
  .strictObject({ current_password: passwordText, new_password: passwordText })
  .meta({ id: "PasswordChange" });

/** `PUT /api/v1/me/password`: 204 with a new cookie; every session there was has ended. 403 `wrong_password`. */
export function changePasswordRoute(
  api: Api,
  { people, addresses }: { readonly people: People; readonly addresses: AddressFailureCounter },
): void {
  api.route({
    method: "PUT",
    url: PATH,
    config: {
      contract: selfContract("PUT", PATH, {
        audited: "user.password",
        beforePasswordChange: true,
        servedOnLowDisk: true,
      }),
    },
    schema: {
      summary: "Change one's own password: all sessions end, and a new one begins.",
      body,
      example: { body: { current_password: "123456", new_password: "an example of a password" } },
      errors: ["weak_password", "wrong_password"],
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { current_password: current, new_password: next } = request.body;
      const userId = personOf(exchange).id;
      const place = placeOf(exchange, request.headers["user-agent"]);
      const { session } = await judgePassword(addresses, exchange, () =>
        people.signIn.changePassword({ userId, current, next }, place),
      );
      const cookie = await people.parts.sessions.cookieFor(session, exchange.listener.secure);
      // In the place of one that would prolong the old session, not beside it.
      return reply.removeHeader("set-cookie").header("set-cookie", cookie).code(204).send();
    },
  });
}
