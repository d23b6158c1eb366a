import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useUpdateKey } from "./api/update-key.ts";
import { KeyForm } from "./key-form.tsx";
import type { Key } from "./key-state.ts";
import { changedKey, formOf } from "./key-terms.ts";

/** Changes the terms of a key, whose text stays. */
export function EditKey(props: { readonly of: Key; readonly onClose: () => void }): ReactNode {
  const update = useUpdateKey(props.of.id);
  return (
    <FormModal title={`Change ${props.of.name}`} onClose={props.onClose}>
      <KeyForm
        initial={formOf(props.of)}
        verb="Save"
        error={update.error}
        isPending={update.isPending}
        submit={(values, failed) =>
          update.mutate(changedKey(values), {
            onError: failed,
            onSuccess: () => {
              tellDone(`${values.name} is changed from its next request on.`);
              props.onClose();
            },
          })
        }
        onCancel={props.onClose}
      />
    </FormModal>
  );
}
