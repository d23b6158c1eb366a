import * as z from "zod";

const SHAPE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * What a resource may be called: a provider, a key. Parsed where it comes in; the brand says that it was, so that
 * nothing further in checks it again.
 */
export const resourceName = z
  .string()
  .regex(SHAPE, "a name is 1 to 63 of A-Z a-z 0-9 . _ - and begins with a letter or digit")
  .brand<"ResourceName">();

export type ResourceName = z.infer<typeof resourceName>;
