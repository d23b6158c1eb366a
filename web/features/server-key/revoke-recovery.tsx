import type { ReactNode } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { useRevokeRecoveryKey } from "./api/revoke-recovery-key.ts";

/** Takes the recovery key out of force. */
export function RevokeRecovery(props: { readonly onClose: () => void }): ReactNode {
  const revoke = useRevokeRecoveryKey();
  return (
    <ConfirmDestroy
      title="Revoke the recovery key?"
      verb="Revoke"
      act={() => revoke.mutateAsync()}
      onClose={props.onClose}
    >
      From then on the server key alone unlocks, and a lost server key has no way back. Another recovery key
      can only be made together with a server key, on a fresh server. Backups made until now still open with
      it: rotate the server key too, and take a new backup.
    </ConfirmDestroy>
  );
}
