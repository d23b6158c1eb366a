import { List, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { SettingsTabs } from "#components/settings-tabs.tsx";
import { Snippet } from "#components/snippet.tsx";
import { serverInfo } from "./api/server-info.ts";
import { BackupForm } from "./backup-form.tsx";

const NIGHTLY = "claviger backup ~/backups/claviger-$(date -u +%Y%m%dT%H%M%SZ).backup";

export default function BackupPage(): ReactNode {
  const info = useQuery(serverInfo());
  return (
    <>
      <SettingsTabs />
      <PageHeader
        title="Backup"
        about="Everything the server keeps, as one file. It is taken while the server serves."
      />
      <Stack>
        <Section title="Take a backup">
          {info.isPending && <Skeleton height={120} role="status" aria-label="Backup: loading" />}
          <ProblemAlert error={info.error} retry={info.refetch} />
          {info.data !== undefined && (
            <>
              <BackupForm hasServerKey={info.data.initialized} />
              <Text size="sm" c="dimmed">
                Every night, from a timer on the machine:
              </Text>
              <Snippet
                label="A backup at a terminal"
                text={info.data.initialized ? NIGHTLY : `${NIGHTLY} --password < ~/backup-password`}
              />
            </>
          )}
        </Section>
        <Section title="What is in it">
          <List>
            <List.Item>Providers, API keys, people, usage and the audit log.</List.Item>
            <List.Item>
              The stored credentials, sealed under the server key of this day. Without that key nobody opens
              them: keep the key as long as the backup, and in another place.
            </List.Item>
            <List.Item>
              Not in it: sessions, and what lies in the configuration directory unless you ask for that.
            </List.Item>
          </List>
        </Section>
        <Section title="Restore">
          <Text>
            With the server stopped. The backup is checked whole before anything is replaced, and what was
            there is kept aside. Then start the server, and unlock it with the key of the backup's day.
          </Text>
          <Snippet label="Check a backup, change nothing" text="claviger restore --dry-run FILE" />
          <Snippet label="Restore a backup" text="claviger restore --force FILE" />
        </Section>
      </Stack>
    </>
  );
}
