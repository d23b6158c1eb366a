import type { ReactNode } from "react";
import { StateBadge } from "#components/state-badge.tsx";
import { endOf, type Listener } from "./listener.ts";

/** Whether it speaks TLS, and how long its certificates last: that of the one that ends first. */
export function TlsBadge({ of: listener }: { readonly of: Listener }): ReactNode {
  const { tls, certificates, loopback_only } = listener;
  if (tls === "off")
    return (
      <StateBadge tone={loopback_only ? "neutral" : "warning"}>
        {loopback_only ? "off" : "off, in clear text"}
      </StateBadge>
    );
  if (certificates.length === 0) return <StateBadge tone="neutral">{tls}</StateBadge>;
  const { tone, words } = endOf(Math.min(...certificates.map(({ days_left }) => days_left)));
  return <StateBadge tone={tone}>{words}</StateBadge>;
}
