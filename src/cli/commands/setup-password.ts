import { askTwice } from "./setup-secret.ts";
import { type SetupParts, type SetupStep, untilTaken } from "./setup-step.ts";
import { userCalls } from "./user-calls.ts";

const FIRST = "admin";

/** The password of who administers the server; the first user is made where there is none. */
export function passwordStep(parts: SetupParts): SetupStep {
  const calls = userCalls(parts.context, parts.flags);
  const administrators = async () =>
    (await calls.list()).filter(({ permissions }) => permissions.includes("superadmin"));
  return {
    name: "password",
    command: "claviger user passwd NAME",
    done: async () => {
      const found = (await administrators()).find((user) => !user.must_change_password);
      return found && `${found.username} has a password`;
    },
    run: async () => {
      const [user] = await administrators();
      const name = user?.username ?? FIRST;
      const id = await untilTaken(parts, async () => {
        const password = await askTwice(parts, `Password of ${name}, 12 characters or more; empty: later`);
        if (password === undefined) return undefined;
        if (user === undefined) return (await calls.addFirst(name, password)).id;
        await calls.setPassword(user.id, password);
        return user.id;
      });
      return id && `${name} has a password`;
    },
  };
}
