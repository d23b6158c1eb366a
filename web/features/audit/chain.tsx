import { Code, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Facts } from "#components/facts.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import { Time } from "#components/time.tsx";
import { auditChain } from "./api/audit-chain.ts";

/** Where the chain of records is, and how it is checked. */
export function Chain(): ReactNode {
  const { data: chain, error, isPending, refetch } = useQuery(auditChain());
  return (
    <Section title="The chain">
      {isPending && <Skeleton height={60} role="status" aria-label="Chain: loading" />}
      <ProblemAlert error={error} retry={refetch} />
      {chain === null && <Text>It has no record yet.</Text>}
      {chain !== undefined && chain !== null && (
        <Facts
          cols={3}
          of={[
            { name: "Records", value: <Quantity value={chain.seq} unit="count" />, about: chain.chain },
            { name: "Last signed checkpoint", value: <Time at={chain.checkpoint_at} /> },
            {
              name: "Public key of the checkpoints",
              value: <Code>{chain.public_key}</Code>,
              about: "Note it elsewhere: it shows that nobody began the chain anew",
            },
          ]}
        />
      )}
      <Text size="sm" c="dimmed">
        Each record holds a keyed hash of the one before, so none is changed, removed or put in unseen.
        Whether all of them are whole is checked on the machine:
      </Text>
      <Snippet label="Check the chain at a terminal" text="claviger audit verify" />
    </Section>
  );
}
