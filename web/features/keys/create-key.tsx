import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { useCreateKey } from "./api/create-key.ts";
import { KeyForm } from "./key-form.tsx";
import { formOf, newKey } from "./key-terms.ts";
import { NewKeyText } from "./new-key-text.tsx";

/** Asks for the terms, issues the key, and shows its text this once. */
export function CreateKey(props: { readonly onClose: () => void }): ReactNode {
  const create = useCreateKey();
  if (create.data !== undefined) return <NewKeyText issued={create.data} onClose={props.onClose} />;
  return (
    <FormModal title="New API key" onClose={props.onClose}>
      <KeyForm
        initial={formOf(null)}
        verb="Create the key"
        error={create.error}
        isPending={create.isPending}
        submit={(values, failed) => create.mutate(newKey(values), { onError: failed })}
        onCancel={props.onClose}
      />
    </FormModal>
  );
}
