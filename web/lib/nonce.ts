declare global {
  /** Where the part behind modal windows looks for the nonce of the styles it inserts. */
  var __webpack_nonce__: string | undefined;
}

/** The nonce that the policy of this page lets scripts and styles in by. */
export function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

/** Lets what inserts styles by itself do so. */
export function announceNonce(): void {
  globalThis.__webpack_nonce__ = pageNonce();
}
