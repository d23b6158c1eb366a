import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";

export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;

const CIPHER = "aes-256-gcm";

/**
 * AES-256-GCM (NIST SP 800-38D): ciphertext followed by its 16-byte tag.
 * A nonce must never be used twice under one key. Keys but those of 32 bytes and nonces but those of 12 throw.
 */
export function encrypt(
  key: KeyObject,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Buffer {
  requireSizes(key, nonce);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: AEAD_TAG_BYTES });
  cipher.setAAD(associatedData);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext of what `encrypt` gave; throws when key, nonce, data, tag or its length is any other. */
export function decrypt(
  key: KeyObject,
  nonce: Uint8Array,
  ciphertextAndTag: Uint8Array,
  associatedData: Uint8Array,
): Buffer {
  requireSizes(key, nonce);
  const tagStart = ciphertextAndTag.length - AEAD_TAG_BYTES;
  if (tagStart < 0) throw new Error("The ciphertext is shorter than its tag.");
  // Without a fixed length Node would take a tag cut to 4 bytes, which can be guessed.
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: AEAD_TAG_BYTES });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(ciphertextAndTag.subarray(tagStart));
  const unproven = decipher.update(ciphertextAndTag.subarray(0, tagStart));
  try {
    return Buffer.concat([unproven, decipher.final()]);
  } finally {
    unproven.fill(0);
  }
}

function requireSizes(key: KeyObject, nonce: Uint8Array): void {
  if (key.type !== "secret" || key.symmetricKeySize !== AEAD_KEY_BYTES) {
    throw new Error(`AES-256-GCM needs a secret key of ${AEAD_KEY_BYTES} bytes.`);
  }
  if (nonce.length !== AEAD_NONCE_BYTES) {
    throw new Error(`AES-256-GCM needs a nonce of ${AEAD_NONCE_BYTES} bytes.`);
  }
}
