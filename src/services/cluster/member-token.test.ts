import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { deriveMemberToken, hashPin, isPin, TOKEN_ITERATIONS } from "./member-token.ts";

// Of docs/formats/member-token.md, made there with other programs.
const SALT = Buffer.from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "base64url");
const PEPPER = new Secret("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8");
const PIN = new Secret("739264");
const PIN_HASH = "$2b$12$abcdefghijklmnopqrstuukMGAm4tEsaxJvc8qpLTjdWRABaqzR2.";

test("[C2] the token is PBKDF2-HMAC-SHA256 with 600,000 rounds, as others compute it", async () => {
  expect(TOKEN_ITERATIONS).toBe(600_000);
  const derive = async (pin: Secret) =>
    (await deriveMemberToken(pin, { salt: SALT, iterations: TOKEN_ITERATIONS })).expose();
  expect(await derive(PIN)).toBe("3W7WipLP1_c4xNRodmyfs1r2cnmVbGLizwsgRpn07Qk");
  expect(await derive(new Secret("8802467"))).toBe("XOZbMxzJwwNnI3ehBA7EsUcvenZSQjKSSY-8x4fxYx0");
});

test("[C2] [C15] pin_hash is bcrypt of cost 12, of the PIN's HMAC: it knows the PIN, and with another pepper knows nothing", async () => {
  const known = { pinHash: PIN_HASH, pepper: PEPPER };
  expect(await isPin(PIN, known)).toBe(true);
  expect(await isPin(new Secret("739265"), known)).toBe(false);
  expect(await isPin(PIN, { ...known, pepper: new Secret(SALT.toString("base64url")) })).toBe(false);
  const made = await hashPin(PIN, PEPPER);
  expect(made).toMatch(/^\$2[by]\$12\$/);
  expect(made).not.toBe(await hashPin(PIN, PEPPER));
  expect(await isPin(PIN, { pinHash: made, pepper: PEPPER })).toBe(true);
});
