import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argon2idEncoded } from "#platform/lib/argon2.ts";
import { AppError } from "#platform/lib/error.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { MOST_SLOW_IDENTITIES, openSlowHashes, type SlowIdentity } from "./open-slow-hashes.ts";
import { parsePhc, type SlowHash } from "./phc.ts";

const random = seededRandom(11);
const LATE = new AppError("rate_limited", "This address is past its limit.", { retryAfterS: 30 });

/** The hash of `key` in the stead of a real one: which `SteppedHashes` compares. */
function standIn(key: string): SlowHash {
  return {
    algorithm: "argon2id",
    memoryKib: 4096,
    passes: 1,
    lanes: 1,
    salt: Buffer.alloc(8),
    hash: Buffer.from(key),
  };
}

const identities = (keys: Readonly<Record<string, string>>): SlowIdentity[] =>
  Object.entries(keys).map(([name, key]) => ({ name, hash: standIn(key) }));

/** Hash computations that end when the test says so, counted. */
class SteppedHashes {
  begun: string[] = [];
  most = 0;
  readonly #running: (() => void)[] = [];

  readonly matches = (hash: SlowHash, text: string): Promise<boolean> => {
    this.begun.push(text);
    const done = Promise.withResolvers<boolean>();
    this.#running.push(() => done.resolve(hash.hash.toString() === text));
    this.most = Math.max(this.most, this.#running.length);
    return done.promise;
  };

  /** Ends everything, also what begins because of it. */
  async endAll(): Promise<void> {
    await settled();
    while (this.#running.length > 0) {
      this.#running.shift()?.();
      await settled();
    }
  }

  endOne(): Promise<void> {
    this.#running.shift()?.();
    return settled();
  }
}

/** Everything that waits for nothing but promises has gone on. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

function open(keys: Readonly<Record<string, string>>, processors = 8) {
  const [clock, hashes] = [new FakeClock(), new SteppedHashes()];
  const slow = openSlowHashes(identities(keys), { clock, random, matches: hashes.matches, processors });
  const ask = async (text: string) => {
    const answer = slow.verify(text);
    await hashes.endAll();
    return answer;
  };
  return { clock, hashes, slow, ask };
}

const KEYS = { web: "the key of the web", batch: "the key of batches", desk: "the key of the desk" };

describe("finding whose key it is", () => {
  it("[I9] real hashes of both kinds are told apart, and a stranger is nobody", async () => {
    const argon2id = await argon2idEncoded("first imported key", {
      memoryKib: 4096,
      passes: 1,
      lanes: 1,
      salt: random.bytes(16),
      length: 32,
    });
    const scrypt =
      "scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw";
    const read = [argon2id.slice(1), scrypt].map((text, index) => {
      const hash = parsePhc(text);
      if ("malformed" in hash) throw new Error(hash.malformed);
      return { name: index === 0 ? "argon" : "salsa", hash };
    });
    const slow = openSlowHashes(read, { clock: new FakeClock(), random });
    expect(await slow.verify("first imported key")).toBe("argon");
    expect(await slow.verify("pleaseletmein")).toBe("salsa");
    expect(await slow.verify("second imported key")).toBeUndefined();
  });

  it("[I9] every hash is computed, in one order, whichever fits and whether one does", async () => {
    const { ask, hashes } = open(KEYS);
    for (const [text, name] of [
      ["the key of the web", "web"],
      ["the key of the desk", "desk"],
      ["the key of nobody", undefined],
    ]) {
      hashes.begun = [];
      expect(await ask(text ?? "")).toBe(name);
      expect(hashes.begun).toEqual([text, text, text]);
    }
    expect(hashes.most).toBe(1);
  });

  it("of two that fit the first counts", async () => {
    const { ask } = open({ first: "a key that two have", second: "a key that two have" });
    expect(await ask("a key that two have")).toBe("first");
  });

  it.each([
    "",
    "too short",
    "k".repeat(513),
    "the key of a ä",
    "the key\nof two lines",
  ])("[I9] %j is nobody's, without work", async (text) => {
    const { slow, hashes } = open(KEYS);
    expect(slow.recall(text)).toEqual({ name: undefined });
    expect(await slow.verify(text)).toBeUndefined();
    expect(hashes.begun).toEqual([]);
  });

  it("[I9] without identities nothing is computed; with more than 32 there is no start", async () => {
    const { slow, hashes } = open({});
    expect(slow.recall("the key of nobody")).toEqual({ name: undefined });
    expect(await slow.verify("the key of nobody")).toBeUndefined();
    expect(hashes.begun).toEqual([]);
    const many = (count: number) =>
      identities(Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, `key number ${n}`])));
    expect(() => slow.replace(many(MOST_SLOW_IDENTITIES))).not.toThrow();
    expect(() => slow.replace(many(MOST_SLOW_IDENTITIES + 1))).toThrow(/^33 identities .* at most 32 may/);
  });

  it("a computation that fails is an error for those who asked, and is tried anew", async () => {
    let fails = true;
    const matches = async () => {
      if (fails) throw new Error("no memory");
      return true;
    };
    const slow = openSlowHashes(identities(KEYS), { clock: new FakeClock(), random, matches });
    await expect(slow.verify("the key of the web")).rejects.toThrow("no memory");
    fails = false;
    expect(await slow.verify("the key of the web")).toBe("web");
  });
});

describe("the bounds of the work", () => {
  it("[I9] two texts are worked on at once, 32 wait, the next is refused with 429 before any work", async () => {
    const { slow, hashes } = open({ web: "the key of the web" });
    const texts = Array.from({ length: 34 }, (_, n) => `wrong key number ${n}`);
    const answers = texts.map((text) => slow.verify(text));
    await settled();
    expect(hashes.begun).toEqual(texts.slice(0, 2));
    const refused = slow.verify("the key of the web");
    await expect(refused).rejects.toMatchObject({ code: "rate_limited", status: 429, retryAfterS: 1 });
    await settled();
    expect(hashes.begun).toHaveLength(2);
    await hashes.endOne();
    const inTime = slow.verify("the key of the web");
    await hashes.endAll();
    expect(hashes.begun).toEqual([...texts, "the key of the web"]);
    expect(hashes.most).toBe(2);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([undefined]));
    expect(await inTime).toBe("web");
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [64, 2],
  ])("[I9] with %i processors at most %i texts are worked on at once", async (processors, most) => {
    const { slow, hashes } = open({ web: "the key of the web" }, processors);
    const answers = Array.from({ length: 5 }, (_, n) => slow.verify(`wrong key number ${n}`));
    await hashes.endAll();
    await Promise.all(answers);
    expect(hashes.most).toBe(most);
  });

  it("[I9] however tries come and end, never more than two run and each is answered rightly", async () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant("end" as const)), {
      maxLength: 120,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { slow, hashes } = open({ web: "wrong key number 7" });
        const asked: Promise<unknown>[] = [];
        for (const step of list) {
          if (step === "end") await hashes.endOne();
          else
            asked.push(
              slow.verify(`wrong key number ${step}`).then(
                (name) => expect(name).toBe(step === 7 ? "web" : undefined),
                (error) => expect(error).toMatchObject({ code: "rate_limited" }),
              ),
            );
        }
        await hashes.endAll();
        await Promise.all(asked);
        expect(hashes.most).toBeLessThanOrEqual(2);
        expect(new Set(hashes.begun).size).toBe(hashes.begun.length);
      }),
      { numRuns: 200 },
    );
  });

  it("[I9] the same text asked about by many is worked on once", async () => {
    const { slow, hashes } = open(KEYS);
    const answers = Array.from({ length: 500 }, () => slow.verify("the key of batches"));
    await hashes.endAll();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["batch"]));
    expect(hashes.begun).toHaveLength(3);
  });

  it("[A12] who is past his limit is refused before work begins, but what is known already he is told", async () => {
    const { slow, hashes, ask } = open({ web: "the key of the web" });
    await expect(slow.verify("the key of the web", () => LATE)).rejects.toBe(LATE);
    expect(hashes.begun).toEqual([]);
    await ask("the key of the web");
    await ask("the key of nobody");
    expect(await slow.verify("the key of the web", () => LATE)).toBe("web");
    expect(await slow.verify("the key of nobody", () => LATE)).toBeUndefined();
  });

  it("[A12] who is past his limit takes no place in the queue either", async () => {
    const { slow, hashes } = open({ web: "the key of the web" });
    const others = Array.from({ length: 33 }, (_, n) => slow.verify(`wrong key number ${n}`));
    for (let number = 0; number < 5; number++)
      await expect(slow.verify(`late key number ${number}`, () => LATE)).rejects.toBe(LATE);
    const last = slow.verify("the key of the web");
    await hashes.endAll();
    expect(await last).toBe("web");
    await Promise.all(others);
  });

  it("[A12] who gets past his limit while he waits is refused too, unless another asks the same", async () => {
    const { slow, hashes } = open({ web: "the key of the web" });
    let late = false;
    const refusal = () => (late ? LATE : undefined);
    const running = [slow.verify("wrong key number 1"), slow.verify("wrong key number 2")];
    const alone = slow.verify("wrong key number 3", refusal);
    const together = [slow.verify("the key of the web", refusal), slow.verify("the key of the web")];
    late = true;
    const outcome = Promise.allSettled([alone, ...together]);
    await hashes.endAll();
    await Promise.all(running);
    expect(await outcome).toEqual([
      { status: "rejected", reason: LATE },
      { status: "fulfilled", value: "web" },
      { status: "fulfilled", value: "web" },
    ]);
    expect(hashes.begun).not.toContain("wrong key number 3");
  });
});

describe("what is remembered", () => {
  it("[I9] a right text costs once, however much time passes; a wrong one once in 60 seconds", async () => {
    const { ask, slow, hashes, clock } = open({ web: "the key of the web" });
    expect(slow.recall("the key of the web")).toBeUndefined();
    await ask("the key of the web");
    await ask("the key of nobody");
    clock.advance(59_999);
    expect(slow.recall("the key of nobody")).toEqual({ name: undefined });
    expect(await ask("the key of nobody")).toBeUndefined();
    expect(hashes.begun).toHaveLength(2);
    clock.advance(1);
    expect(slow.recall("the key of nobody")).toBeUndefined();
    await ask("the key of nobody");
    expect(hashes.begun).toHaveLength(3);
    clock.advance(1e9);
    expect(slow.recall("the key of the web")).toEqual({ name: "web" });
    expect(await ask("the key of the web")).toBe("web");
    expect(hashes.begun).toHaveLength(3);
  });

  it("[I9] of wrong texts the 10,000 asked about last are kept", async () => {
    const matches = async (hash: SlowHash, text: string) => hash.hash.toString() === text;
    const slow = openSlowHashes(identities(KEYS), { clock: new FakeClock(), random, matches });
    await slow.verify("the key of the web");
    for (let number = 0; number < 10_000; number++) await slow.verify(`wrong key number ${number}`);
    expect(slow.recall("wrong key number 0")).toEqual({ name: undefined });
    await slow.verify("one more wrong key");
    expect(slow.recall("wrong key number 0")).toEqual({ name: undefined });
    expect(slow.recall("wrong key number 1")).toBeUndefined();
    expect(slow.recall("wrong key number 2")).toEqual({ name: undefined });
    expect(slow.recall("the key of the web")).toEqual({ name: "web" });
  });

  it("[I11] after the identities are replaced nothing of before holds, and what runs is judged by the new ones", async () => {
    const { slow, hashes, ask } = open({ web: "the key of the web" });
    await ask("the key of the web");
    await ask("the key of batches");
    const running = slow.verify("the key of the desk");
    await settled();
    slow.replace(identities({ batch: "the key of batches", desk: "the key of the desk" }));
    expect(slow.recall("the key of the web")).toBeUndefined();
    expect(await ask("the key of the web")).toBeUndefined();
    expect(await ask("the key of batches")).toBe("batch");
    expect(await running).toBe("desk");
    slow.replace([]);
    expect(slow.recall("the key of batches")).toEqual({ name: undefined });
    expect(hashes.most).toBeLessThanOrEqual(2);
  });
});
