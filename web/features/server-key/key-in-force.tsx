import { Button, Code, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Facts } from "#components/facts.tsx";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import type { Schemas } from "#lib/api-types.ts";

/** The windows of the page. */
export type KeyWindow = "set" | "rotate" | "repair" | "try" | "lock" | "revoke";

/** The key that is set, and all that can be done with it. */
export function KeyInForce(props: {
  readonly details: Schemas["ServerKeyDetails"];
  readonly open: (window: KeyWindow) => void;
}): ReactNode {
  const { details, open } = props;
  return (
    <>
      <Section title="The key in force" actions={<StateBadge tone="good">Unlocked</StateBadge>}>
        <Facts
          of={[
            {
              name: "Fingerprint",
              value: <Code>{details.fingerprint}</Code>,
              about: "Backups name the key they open with by it",
            },
            { name: "Set", value: <Time at={details.set_at} /> },
            {
              name: "Recovery key",
              value: details.recovery_key ? "unlocks too" : "none",
              about: details.recovery_key
                ? "Shown once, when the server key was set"
                : "A lost server key has no way back",
            },
            {
              name: "After a start",
              value: details.unlocks_itself ? "unlocks by itself" : "waits for the key",
              about: details.unlocks_itself
                ? "It was given its key by a file or a systemd credential"
                : "Somebody has to give it",
            },
          ]}
        />
        <Group>
          <Button variant="default" onClick={() => open("rotate")}>
            Rotate the key…
          </Button>
          <Button variant="default" onClick={() => open("try")}>
            Try the saved key…
          </Button>
          {details.recovery_key && (
            <Button variant="default" onClick={() => open("revoke")}>
              Revoke the recovery key…
            </Button>
          )}
        </Group>
      </Section>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Act
          title="Lock"
          about="When the machine is to be left, seized or moved, or when something is wrong. No key is asked for to lock; to unlock it is."
          button={
            <Button color="red.9" onClick={() => open("lock")}>
              Lock now…
            </Button>
          }
        />
        <Act
          title="Repair"
          about="After a rotation that was broken off, or that named stored values which did not open, once those were put right."
          button={
            <Button variant="default" onClick={() => open("repair")}>
              Check and repair…
            </Button>
          }
        />
      </SimpleGrid>
    </>
  );
}

function Act(props: {
  readonly title: string;
  readonly about: string;
  readonly button: ReactNode;
}): ReactNode {
  return (
    <Section title={props.title}>
      <Stack align="flex-start">
        <Text>{props.about}</Text>
        {props.button}
      </Stack>
    </Section>
  );
}
