import * as z from "zod";

/** Somebody who signs in; times here and below are milliseconds since the Unix epoch. */
export interface User {
  readonly id: string;
  /** In lower case. */
  readonly username: string;
  /** argon2id, as a PHC string. */
  readonly passwordHash: string;
  /** The same list for as long as it is in force. */
  readonly permissionSets: readonly string[];
  readonly mustChangePassword: boolean;
  /** The password was good for one sign-in, which was made: it does for nothing but being changed. */
  readonly isInitial: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Null for who never did. */
  readonly lastSignedInAt: number | null;
}

/** One browser, or one program with a cookie jar, that somebody signed in with. */
export interface Session {
  readonly jti: string;
  readonly userId: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** Moves while it is used, but not beyond `lastEndAt`. */
  readonly endsAt: number;
  readonly lastEndAt: number;
  /** When the password was given last. */
  readonly passwordAt: number;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** What users are called: in lower case, an address of mail if one likes. */
export const usernameShape = z
  .string()
  .transform((text) => text.normalize("NFKC").toLowerCase())
  .pipe(
    z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._@+-]{0,62}$/,
        "a user name is 1 to 63 of a-z 0-9 . _ @ + - and begins with a letter or digit",
      ),
  );

/** A password as it comes in: what a new one must be is said by the rules. */
export const passwordText = z
  .string("a password is a text")
  .min(1, "a password is not empty")
  .max(1024, "a password has at most 1024 characters")
  .refine((text) => text.isWellFormed(), "a password is well-formed Unicode");

/** The first user, who is there before anybody made him. */
export const FIRST_USER = "admin";
export const SUPERADMIN = "superadmin";
