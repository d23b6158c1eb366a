import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { HeldKeys } from "./held-keys.ts";
import { Keyring, newTerm } from "./keyring.ts";

const place = { table: "credential", column: "sealed", key: "cred_1" };
const newKeyring = () => new Keyring([newTerm(1, systemRandom)]);
const newHeld = (status: "uninitialized" | "unlocked" = "uninitialized", keyring = newKeyring()) =>
  new HeldKeys({ status, keyring }, systemRandom);

test("a secret and bytes come back as they went in; given bytes are left as they are", () => {
  const held = newHeld();
  const bytes = Buffer.from([0, 255, 128]);
  expect(held.openValue(place, held.sealValue(place, new Secret("clé"))).toString()).toBe("clé");
  expect(held.openValue(place, held.sealValue(place, bytes))).toEqual(bytes);
  expect(bytes).toEqual(Buffer.from([0, 255, 128]));
});

test("the status says whether it has a passphrase and whether it is open", () => {
  expect(newHeld().status()).toEqual({ initialized: false, unlocked: true });
  expect(newHeld("unlocked").status()).toEqual({ initialized: true, unlocked: true });
  const locked = new HeldKeys({ status: "locked", initialized: true }, systemRandom);
  expect(locked.status()).toEqual({ initialized: true, unlocked: false });
  expect(locked.isLocked()).toBe(true);
});

test.each(["uninitialized", "unlocked"] as const)("locked from %s, nothing is sealed or opened", (status) => {
  const keyring = newKeyring();
  const held = newHeld(status, keyring);
  const sealed = held.sealValue(place, new Secret("value"));
  expect(held.isLocked()).toBe(false);
  held.drop();
  expect(held.isLocked()).toBe(true);
  expect(held.status()).toEqual({ initialized: status === "unlocked", unlocked: false });
  const serverLocked = expect.objectContaining({ code: "server_locked", status: 503 });
  expect(() => held.openValue(place, sealed)).toThrow(serverLocked);
  expect(() => held.sealValue(place, new Secret("value"))).toThrow(serverLocked);
  expect(() => keyring.open(place, sealed)).toThrow("disposed");
});

test("listeners are told once, before lock returns and after the keys are gone, until they stop", () => {
  const held = newHeld();
  const told: string[] = [];
  held.onLock(() => told.push(`first, locked: ${held.isLocked()}`));
  const stop = held.onLock(() => told.push("stopped"));
  stop();
  held.drop();
  held.drop();
  expect(told).toEqual(["first, locked: true"]);
});

test("a listener that throws keeps no other from being told", () => {
  const held = newHeld();
  const told: string[] = [];
  held.onLock(() => {
    throw new Error("the first listener failed");
  });
  held.onLock(() => told.push("second"));
  expect(() => held.drop()).toThrow(AggregateError);
  expect(told).toEqual(["second"]);
  expect(held.isLocked()).toBe(true);
});
