import type { ReactNode } from "react";
import { useRotateKey } from "./api/rotate-key.ts";
import { OneKeyForm } from "./one-key-form.tsx";
import type { RotationEnd } from "./rotation-end.tsx";

/** Re-seals once more what could not be: a rotation with equal keys. */
export function Repair(props: {
  readonly onDone: (end: RotationEnd) => void;
  readonly onClose: () => void;
}): ReactNode {
  const rotate = useRotateKey();
  return (
    <OneKeyForm
      title="Check and repair"
      verb="Check all"
      label="Server key"
      error={rotate.error}
      isPending={rotate.isPending}
      submit={(key, failed) =>
        rotate.mutate(
          { current_key: key, new_key: key },
          {
            onSuccess: (answer) => {
              props.onDone({ of: "repair", answer });
              props.onClose();
            },
            onError: failed,
          },
        )
      }
      onClose={props.onClose}
    >
      Every stored credential is opened, and sealed anew where that was broken off or failed. The key stays as
      it is. It is safe to repeat.
    </OneKeyForm>
  );
}
