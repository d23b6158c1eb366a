import { Drawer, Group, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import { Quantity } from "#components/quantity.tsx";
import { useReturnFocus } from "#lib/return-focus.ts";
import type { RequestRow } from "./api/list-requests.ts";
import { Status } from "./status.tsx";

const EXACT = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "long",
});

/** The whole of one row, beside the list. */
export function RequestDetails(props: { readonly of: RequestRow; readonly onClose: () => void }): ReactNode {
  const { of: row, onClose } = props;
  useReturnFocus();
  return (
    <Drawer.Root opened onClose={onClose} position="right" size="md">
      <Drawer.Overlay />
      <Drawer.Content>
        {/* Not Drawer.Header: that would be a second banner of the page. */}
        <Group justify="space-between" wrap="nowrap" p="md" pb={0}>
          <Drawer.Title fw={600}>One request</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </Group>
        <Drawer.Body pt="md">
          <Table variant="vertical" verticalSpacing="xs" layout="fixed" aria-label="One request">
            <Table.Tbody>
              {fieldsOf(row).map(([label, shown]) => (
                <Table.Tr key={label}>
                  <Table.Th w={150} scope="row">
                    {label}
                  </Table.Th>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{shown}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          <Text size="sm" c="dimmed" mt="md">
            What was asked and what was answered is kept nowhere. The id is also in the header x-request-id of
            the answer and in the server's log.
          </Text>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function fieldsOf(row: RequestRow): readonly (readonly [string, ReactNode])[] {
  return [
    ["Id", <Copied key="id" value={row.request_id} label="Copy the id" />],
    ["Time", EXACT.format(Date.parse(row.time))],
    ["Status", <Status key="status" code={row.status} />],
    ["By", row.principal_name ?? "nobody who is known any more"],
    ["Id of who asked", <Copied key="by" value={row.principal} label="Copy whose it is" />],
    ["Model", row.model],
    ["Provider", row.provider ?? "none was reached"],
    ["Streamed", row.streamed ? "yes" : "no"],
    ["First byte after", <Quantity key="first" value={row.first_byte_ms} unit="ms" none="none came" />],
    ["Took", <Quantity key="took" value={row.latency_ms} unit="ms" />],
    ["Input tokens", <Quantity key="in" value={row.input_tokens} unit="tokens" none="not known" />],
    ["Output tokens", <Quantity key="out" value={row.output_tokens} unit="tokens" none="not known" />],
    ["Cost", <Quantity key="cost" value={row.cost_usd} unit="usd" none="not known" />],
  ];
}

function Copied(props: { readonly value: string; readonly label: string }): ReactNode {
  return (
    <Group gap="xs" wrap="nowrap">
      <span>{props.value}</span>
      <CopyButton value={props.value} label={props.label} />
    </Group>
  );
}
