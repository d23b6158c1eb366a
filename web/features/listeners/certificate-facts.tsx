import { Code, Group } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import { Facts } from "#components/facts.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { type Certificate, endOf } from "./listener.ts";

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What a client sees of a certificate. */
export function CertificateFacts({ of: certificate }: { readonly of: Certificate }): ReactNode {
  const { subject, names, addresses, fingerprint, not_before, not_after, days_left, self_signed } =
    certificate;
  const { tone, words } = endOf(days_left);
  return (
    <Facts
      cols={1}
      of={[
        { name: "For", value: [...names, ...addresses].join(", ") || "no name at all" },
        {
          name: "SHA-256 fingerprint",
          value: (
            <Group gap={4} wrap="nowrap" align="flex-start">
              <Code style={{ overflowWrap: "anywhere" }}>{fingerprint}</Code>
              <CopyButton value={fingerprint} label="Copy the fingerprint" />
            </Group>
          ),
        },
        {
          name: "Valid",
          value: `${EXACT.format(Date.parse(not_before))} to ${EXACT.format(Date.parse(not_after))}`,
        },
        { name: "Ends", value: <StateBadge tone={tone}>{words}</StateBadge> },
        {
          name: "Made out to",
          value: <Code>{subject}</Code>,
          about: self_signed
            ? "Self-signed: clients trust it by its file or its fingerprint"
            : "Vouched for by another certificate",
        },
      ]}
    />
  );
}
