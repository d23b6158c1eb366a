import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { FormModal } from "#components/form-modal.tsx";
import { useDropSecondFactor } from "./api/drop-second-factor.ts";
import { useRemoveUser } from "./api/remove-user.ts";
import type { User } from "./user.ts";

/** Asks, and removes somebody; of the last superadmin it says why that cannot be. */
export function RemoveUser(props: {
  readonly of: User;
  readonly isLast: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const remove = useRemoveUser();
  const { id, username } = props.of;
  if (props.isLast)
    return (
      <FormModal title={`${username} is the last superadmin`} onClose={props.onClose}>
        <Stack>
          <Text>
            Nobody else could add users or give them rights then. Give superadmin to somebody else first.
          </Text>
          <Group justify="flex-end">
            <Button onClick={props.onClose} data-autofocus>
              Close it
            </Button>
          </Group>
        </Stack>
      </FormModal>
    );
  return (
    <ConfirmDestroy
      title={`Remove ${username}?`}
      verb="Remove"
      act={() => remove.mutateAsync(id)}
      onClose={props.onClose}
    >
      Every session of {username} ends now, and nobody signs in by that name. API keys stay: they belong to
      programs.
    </ConfirmDestroy>
  );
}

/** Asks, and has somebody sign in by password alone. */
export function DropSecondFactor(props: { readonly of: User; readonly onClose: () => void }): ReactNode {
  const drop = useDropSecondFactor();
  const { id, username } = props.of;
  return (
    <ConfirmDestroy
      title={`Take the second factor of ${username} off?`}
      verb="Take it off"
      act={() => drop.mutateAsync(id)}
      onClose={props.onClose}
    >
      For who lost the authenticator app and the recovery codes. From now on the password alone signs{" "}
      {username} in.
    </ConfirmDestroy>
  );
}
