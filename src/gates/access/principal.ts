/** Who is asking: the control socket, an API key, or nobody known. */
export type Principal =
  | { readonly kind: "local" }
  | { readonly kind: "key"; readonly id: string; readonly permissionSets: readonly string[] }
  | { readonly kind: "anonymous" };

/** The name under which a principal is written down: `local`, the key's id, or `anonymous`. */
export function principalId(principal: Principal): string {
  return principal.kind === "key" ? principal.id : principal.kind;
}
