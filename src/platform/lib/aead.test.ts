import { createSecretKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decrypt, encrypt } from "./aead.ts";

const hex = (text: string) => Buffer.from(text, "hex");

/** The GCM specification (McGrew and Viega), test cases 13 to 16: AES-256, nonces of 96 bits. */
const VECTORS = [
  {
    name: "case 13",
    key: "0000000000000000000000000000000000000000000000000000000000000000",
    nonce: "000000000000000000000000",
    plaintext: "",
    associatedData: "",
    output: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    name: "case 14",
    key: "0000000000000000000000000000000000000000000000000000000000000000",
    nonce: "000000000000000000000000",
    plaintext: "00000000000000000000000000000000",
    associatedData: "",
    output: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    name: "case 16",
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    output:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
];

describe("published vectors", () => {
  test.each(VECTORS)("$name, there and back", ({ key, nonce, plaintext, associatedData, output }) => {
    const secretKey = createSecretKey(hex(key));
    expect(encrypt(secretKey, hex(nonce), hex(plaintext), hex(associatedData)).toString("hex")).toBe(output);
    expect(decrypt(secretKey, hex(nonce), hex(output), hex(associatedData)).toString("hex")).toBe(plaintext);
  });
});

describe("what does not fit is refused", () => {
  const key = createSecretKey(Buffer.alloc(32, 7));
  const nonce = Buffer.alloc(12, 9);
  const associatedData = Buffer.from("place");
  const sealed = encrypt(key, nonce, Buffer.from("plaintext"), associatedData);

  test("a flipped bit anywhere, in the nonce or in the associated data", () => {
    const flipped = (bytes: Buffer, bit: number) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return copy;
    };
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(() => decrypt(key, nonce, flipped(sealed, bit), associatedData)).toThrow();
    }
    for (let bit = 0; bit < nonce.length * 8; bit++) {
      expect(() => decrypt(key, flipped(nonce, bit), sealed, associatedData)).toThrow();
    }
    for (let bit = 0; bit < associatedData.length * 8; bit++) {
      expect(() => decrypt(key, nonce, sealed, flipped(associatedData, bit))).toThrow();
    }
    expect(decrypt(key, nonce, sealed, associatedData).toString()).toBe("plaintext");
  });

  test("a tag of any shorter length, or none at all", () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(() => decrypt(key, nonce, sealed.subarray(0, length), associatedData)).toThrow();
    }
  });

  test.each([0, 1, 8, 11, 13, 16])("a nonce of %i bytes", (length) => {
    expect(() => encrypt(key, Buffer.alloc(length), Buffer.alloc(1), associatedData)).toThrow("nonce of 12");
    expect(() => decrypt(key, Buffer.alloc(length), sealed, associatedData)).toThrow("nonce of 12");
  });

  test.each([1, 16, 24, 31, 33, 64])("a key of %i bytes", (length) => {
    const other = createSecretKey(Buffer.alloc(length, 1));
    expect(() => encrypt(other, nonce, Buffer.alloc(1), associatedData)).toThrow("key of 32");
    expect(() => decrypt(other, nonce, sealed, associatedData)).toThrow("key of 32");
  });

  test("a key that is not secret", () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    expect(() => encrypt(publicKey, nonce, Buffer.alloc(1), associatedData)).toThrow("key of 32");
  });
});
