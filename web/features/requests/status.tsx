import type { ReactNode } from "react";
import { StateBadge } from "#components/state-badge.tsx";

/** How a request was answered: 499 is a caller that left. */
export function Status({ code }: { readonly code: number }): ReactNode {
  const tone = code < 400 ? "good" : code < 500 ? "warning" : "bad";
  return <StateBadge tone={tone}>{code}</StateBadge>;
}
