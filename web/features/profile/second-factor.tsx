import { Button, Group, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { useMe } from "#features/session/me.ts";
import { tellProblem } from "#lib/tell.tsx";
import { useBeginSecondFactor } from "./api/begin-second-factor.ts";
import { useRemoveSecondFactor } from "./api/remove-second-factor.ts";
import { EnrolSecondFactor } from "./enrol-second-factor.tsx";

/** A code of an authenticator app at each sign-in. */
export function SecondFactor(): ReactNode {
  const { second_factor: isOn } = useMe();
  const begin = useBeginSecondFactor();
  const remove = useRemoveSecondFactor();
  const [isRemoving, setRemoving] = useState(false);
  return (
    <Section
      title="Second factor"
      actions={<StateBadge tone={isOn ? "good" : "neutral"}>{isOn ? "on" : "off"}</StateBadge>}
    >
      <Text>
        A code of an authenticator app, wanted beside the password at each sign-in: who learns the password
        alone does not get in.
      </Text>
      <Group>
        {isOn ? (
          <Button variant="default" onClick={() => setRemoving(true)}>
            Take it off…
          </Button>
        ) : (
          <Button
            variant="default"
            loading={begin.isPending}
            onClick={() => begin.mutate(undefined, { onError: tellProblem })}
          >
            Set it up…
          </Button>
        )}
      </Group>
      {begin.data !== undefined && <EnrolSecondFactor seed={begin.data} onClose={begin.reset} />}
      {isRemoving && (
        <ConfirmDestroy
          title="Take the second factor off?"
          verb="Take it off"
          act={() => remove.mutateAsync()}
          onClose={() => setRemoving(false)}
        >
          From now on the password alone signs you in. The recovery codes are good for nothing then.
        </ConfirmDestroy>
      )}
    </Section>
  );
}
