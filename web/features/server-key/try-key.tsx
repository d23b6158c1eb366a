import type { ReactNode } from "react";
import { tellDone } from "#lib/tell.tsx";
import { useUnlockServer } from "./api/unlock-server.ts";
import { OneKeyForm } from "./one-key-form.tsx";

/** Whether the key that was saved is the one in force: it unlocks, and a server that is open stays so. */
export function TryKey(props: { readonly onClose: () => void }): ReactNode {
  const unlock = useUnlockServer();
  return (
    <OneKeyForm
      title="Try the saved key"
      verb="Try it"
      label="Server key or recovery key"
      error={unlock.error}
      isPending={unlock.isPending}
      submit={(key, failed) =>
        unlock.mutate(
          { key },
          {
            onSuccess: () => {
              tellDone("This key unlocks the server.");
              props.onClose();
            },
            onError: failed,
          },
        )
      }
      onClose={props.onClose}
    >
      Type the key as you saved it. Nothing changes; you only learn whether it would unlock the server after
      its next start. Do so once a year.
    </OneKeyForm>
  );
}
