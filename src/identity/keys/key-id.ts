const ID_START = "key_";

/** The id under which the server speaks of the key whose text carries `publicId`. */
export function keyId(publicId: string): string {
  return ID_START + publicId;
}

/** The public id in such an id; of any other text, one that no key has. */
export function publicIdOf(id: string): string {
  return id.startsWith(ID_START) ? id.slice(ID_START.length) : "";
}
