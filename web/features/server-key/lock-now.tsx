import { List, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { useLockServer } from "./api/lock-server.ts";

/** Says what a lock does to everybody, and locks. */
export function LockNow(props: { readonly onClose: () => void }): ReactNode {
  const lock = useLockServer();
  return (
    <ConfirmDestroy
      title="Lock the server now?"
      verb="Lock now"
      act={() => lock.mutateAsync()}
      onClose={props.onClose}
    >
      <Stack gap="xs">
        <Text>For everybody, at once:</Text>
        <List>
          <List.Item>Running answers end with an error, and new requests are answered 503.</List.Item>
          <List.Item>The stored credentials can be used by nobody, this server included.</List.Item>
          <List.Item>
            It stays so through restarts, also where it unlocks itself, until somebody gives the server key.
          </List.Item>
        </List>
        <Text>People stay signed in. Have the server key at hand before you go on.</Text>
      </Stack>
    </ConfirmDestroy>
  );
}
