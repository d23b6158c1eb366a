/** A certificate and its key as a listener takes them: PEM, or PKCS #12 with its password. Plain data for other threads. */
export type TlsPair =
  | { readonly cert: string; readonly key: string }
  | { readonly pfx: Uint8Array; readonly passphrase: string };

/** A pair, and what its certificate says. */
export interface LoadedPair {
  readonly pair: TlsPair;
  /** DNS names it is for, in lower case; one may begin with `*.`. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  /** Whom it is made out to: `CN=claviger`. */
  readonly subject: string;
  /** Whether its own key vouches for it. */
  readonly isSelfSigned: boolean;
  /** Milliseconds since the epoch. */
  readonly beginsMs: number;
  readonly expiresMs: number;
  /** SHA-256 of the certificate, in hexadecimal with colons. */
  readonly fingerprint: string;
  /** SHA-256 of the certificate's public key (SPKI, DER), base64url: it stays when the certificate is renewed. */
  readonly publicKey: string;
}

/** The name, the key of the cipher and that of the signature (RFC 5077, 4). */
export const SESSION_TICKET_KEY_BYTES = 48;

/** What a TLS listener needs; the same in every thread, so that a session begun in one is taken up in another. */
export interface TlsMaterial {
  /** The first one is for clients that name no host, or another one. */
  readonly pairs: readonly Pick<LoadedPair, "pair" | "names">[];
  /** SESSION_TICKET_KEY_BYTES of them. */
  readonly ticketKeys: Uint8Array;
}

/** Where a pair is read from. */
export type TlsFiles =
  | { readonly cert: string; readonly key: string }
  | { readonly pfx: string; readonly passwordFile: string };

/** The paths of a pair's files. */
export function pathsOf(files: TlsFiles): readonly [string, string] {
  return "cert" in files ? [files.cert, files.key] : [files.pfx, files.passwordFile];
}
