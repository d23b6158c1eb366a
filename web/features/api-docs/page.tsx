import { Accordion, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { describeApi } from "./api/describe-api.ts";
import { isAbout, type Operation } from "./operation.ts";
import { OperationDetails } from "./operation-details.tsx";

export default function ApiPage(): ReactNode {
  const api = useQuery(describeApi());
  const [wanted, setWanted] = useState("");
  const found = api.data?.filter((each) => isAbout(each, wanted)) ?? [];
  const groups = [...new Set(found.map(({ group }) => group))];
  return (
    <>
      <PageHeader
        title="API"
        about="Everything this server is asked for, as it describes itself. The same for other programs: /api/v1/openapi.json, OpenAPI 3.1."
      />
      <Stack>
        <TextInput
          type="search"
          label="Search"
          placeholder="keys, PATCH, usage.read"
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          maw="28rem"
        />
        {api.isPending && <Skeleton height={300} role="status" aria-label="API: loading" />}
        <ProblemAlert error={api.error} retry={api.refetch} />
        {api.data !== undefined && (
          <Text size="sm" c="dimmed" role="status">
            {found.length} of {api.data.length} operations
          </Text>
        )}
        {groups.map((group) => (
          <OperationGroup key={group} name={group} of={found.filter((each) => each.group === group)} />
        ))}
      </Stack>
    </>
  );
}

/** The operations of one group; what is inside one is drawn when it is opened. */
function OperationGroup(props: { readonly name: string; readonly of: readonly Operation[] }): ReactNode {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <section aria-label={props.name}>
      <Title order={2} size="h4" mb="xs" tt="capitalize">
        {props.name}
      </Title>
      <Accordion variant="separated" order={3} value={open} onChange={setOpen}>
        {props.of.map((operation) => (
          <Accordion.Item key={operation.name} value={idOf(operation)}>
            <Accordion.Control>
              <Group gap="sm" align="baseline">
                <Text ff="monospace" size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
                  {operation.name}
                </Text>
                <Text size="sm" c="dimmed">
                  {operation.summary}
                </Text>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              {open === idOf(operation) && <OperationDetails of={operation} />}
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </section>
  );
}

/** Without spaces: ids of the page are made of it. */
function idOf({ name }: Operation): string {
  return encodeURIComponent(name);
}
