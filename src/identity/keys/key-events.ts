export type KeyEvent = "key.created" | "key.updated" | "key.rotated" | "key.revoked" | "key.expired";

/** Who is told of every change of a key. Must neither wait nor throw. */
export interface KeyEvents {
  publish(type: KeyEvent, key: { readonly id: string; readonly name: string }): void;
}
