import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { Keyring, newTerm } from "./keyring.ts";
import { Seal } from "./seal.ts";

const place = { table: "credential", column: "sealed", key: "cred_1" };
const newKeyring = () => new Keyring([newTerm(1, systemRandom)]);
const newSeal = (status: "uninitialized" | "unlocked" = "uninitialized", keyring = newKeyring()) =>
  new Seal({ status, keyring }, systemRandom);

test("a secret and bytes come back as they went in; given bytes are left as they are", () => {
  const seal = newSeal();
  const bytes = Buffer.from([0, 255, 128]);
  expect(seal.openValue(place, seal.sealValue(place, new Secret("clé"))).toString()).toBe("clé");
  expect(seal.openValue(place, seal.sealValue(place, bytes))).toEqual(bytes);
  expect(bytes).toEqual(Buffer.from([0, 255, 128]));
});

test("the status says whether it has a passphrase and whether it is open", () => {
  expect(newSeal().status()).toEqual({ initialized: false, unlocked: true });
  expect(newSeal("unlocked").status()).toEqual({ initialized: true, unlocked: true });
  const locked = new Seal({ status: "locked", initialized: true }, systemRandom);
  expect(locked.status()).toEqual({ initialized: true, unlocked: false });
  expect(locked.isLocked()).toBe(true);
});

test.each(["uninitialized", "unlocked"] as const)("locked from %s, nothing is sealed or opened", (status) => {
  const keyring = newKeyring();
  const seal = newSeal(status, keyring);
  const sealed = seal.sealValue(place, new Secret("value"));
  expect(seal.isLocked()).toBe(false);
  seal.lock();
  expect(seal.isLocked()).toBe(true);
  expect(seal.status()).toEqual({ initialized: status === "unlocked", unlocked: false });
  const serverLocked = expect.objectContaining({ code: "server_locked", status: 503 });
  expect(() => seal.openValue(place, sealed)).toThrow(serverLocked);
  expect(() => seal.sealValue(place, new Secret("value"))).toThrow(serverLocked);
  expect(() => keyring.open(place, sealed)).toThrow("disposed");
});

test("listeners are told once, before lock returns and after the keys are gone, until they stop", () => {
  const seal = newSeal();
  const told: string[] = [];
  seal.onLock(() => told.push(`first, locked: ${seal.isLocked()}`));
  const stop = seal.onLock(() => told.push("stopped"));
  stop();
  seal.lock();
  seal.lock();
  expect(told).toEqual(["first, locked: true"]);
});

test("a listener that throws keeps no other from being told", () => {
  const seal = newSeal();
  const told: string[] = [];
  seal.onLock(() => {
    throw new Error("the first listener failed");
  });
  seal.onLock(() => told.push("second"));
  expect(() => seal.lock()).toThrow(AggregateError);
  expect(told).toEqual(["second"]);
  expect(seal.isLocked()).toBe(true);
});
