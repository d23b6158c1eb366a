import { Anchor, Code, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Facts } from "#components/facts.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { SettingsTabs } from "#components/settings-tabs.tsx";
import { Snippet } from "#components/snippet.tsx";
import { useEventRefresh } from "#lib/events.ts";
import { serverInfo } from "./api/server-info.ts";
import { settingsInForce } from "./api/settings-in-force.ts";
import { ReloadConfig } from "./reload-config.tsx";
import { SettingsTable } from "./settings-table.tsx";

export default function SettingsPage(): ReactNode {
  const info = useQuery(serverInfo());
  const settings = useQuery(settingsInForce());
  useEventRefresh(["config"], [settingsInForce().queryKey]);
  return (
    <>
      <SettingsTabs />
      <PageHeader
        title="Settings"
        about="What the server goes by. It is kept in its configuration file, and is changed there."
      />
      <Stack>
        <Section title="This server">
          <ProblemAlert error={info.error} retry={info.refetch} />
          {info.isPending && <Skeleton height={60} role="status" aria-label="This server: loading" />}
          {info.data !== undefined && (
            <Facts
              cols={4}
              of={[
                { name: "Version", value: info.data.version },
                { name: "Node", value: <Code>{info.data.node_id}</Code> },
                { name: "Licence", value: "Apache-2.0" },
                {
                  name: "API",
                  value: (
                    <Anchor component={Link} to="/docs/api">
                      What it is asked for
                    </Anchor>
                  ),
                },
              ]}
            />
          )}
        </Section>
        <Section title="Settings in force">
          <ProblemAlert error={settings.error} retry={settings.refetch} />
          {settings.isPending && <Skeleton height={240} role="status" aria-label="Settings: loading" />}
          {settings.data !== undefined && (
            <>
              {settings.data.file === null ? <NoFile /> : <ReloadConfig file={settings.data.file} />}
              <SettingsTable of={settings.data.settings} />
            </>
          )}
        </Section>
      </Stack>
    </>
  );
}

function NoFile(): ReactNode {
  return (
    <>
      <Text>
        There is no configuration file: what the command line and the environment do not say is as it comes.
        To begin one on the machine:
      </Text>
      <Snippet label="Begin a configuration file" text="claviger config init" />
    </>
  );
}
