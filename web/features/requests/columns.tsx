import { Anchor, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Column } from "#components/data-table.tsx";
import { Quantity } from "#components/quantity.tsx";
import { Time } from "#components/time.tsx";
import type { RequestRow } from "./api/list-requests.ts";
import { Status } from "./status.tsx";

/** `open` shows the whole of a row. */
export function columnsOf(open: (row: RequestRow) => void): readonly Column<RequestRow>[] {
  return [
    { label: "When", render: (row) => <When of={row} open={open} />, sortBy: "time" },
    { label: "Status", render: ({ status }) => <Status code={status} /> },
    { label: "Model", render: ({ model }) => <Word>{model}</Word> },
    {
      label: "By",
      render: ({ principal, principal_name }) => <Word>{principal_name ?? principal}</Word>,
      from: "sm",
    },
    { label: "Provider", render: ({ provider }) => <Word>{provider ?? "none"}</Word>, from: "lg" },
    {
      label: "Tokens in",
      render: ({ input_tokens }) => <Quantity value={input_tokens} unit="tokens" />,
      align: "right",
      from: "md",
    },
    {
      label: "Tokens out",
      render: ({ output_tokens }) => <Quantity value={output_tokens} unit="tokens" />,
      align: "right",
      from: "md",
    },
    {
      label: "Cost",
      render: ({ cost_usd }) => <Quantity value={cost_usd} unit="usd" />,
      align: "right",
      from: "sm",
    },
    {
      label: "Took",
      render: ({ latency_ms }) => <Quantity value={latency_ms} unit="ms" />,
      align: "right",
      from: "xs",
    },
  ];
}

function When(props: { readonly of: RequestRow; readonly open: (row: RequestRow) => void }): ReactNode {
  const { of: row, open } = props;
  return (
    <Anchor
      component="button"
      type="button"
      size="sm"
      title={`Details of ${row.request_id}`}
      onClick={() => open(row)}
    >
      <Time at={row.time} />
    </Anchor>
  );
}

function Word({ children }: { readonly children: string }): ReactNode {
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }} miw="6rem">
      {children}
    </Text>
  );
}
