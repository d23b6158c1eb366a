import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { useCreateProvider } from "./api/create-provider.ts";
import { ProviderForm } from "./provider-form.tsx";
import { formOf, newProvider } from "./provider-terms.ts";

/** Asks for the terms and the credential, and adds the provider; `onAdded` hears its name. */
export function AddProvider(props: {
  readonly onClose: () => void;
  readonly onAdded: (name: string) => void;
}): ReactNode {
  const create = useCreateProvider();
  return (
    <FormModal title="New provider" onClose={props.onClose}>
      <ProviderForm
        initial={formOf(null)}
        isNew
        error={create.error}
        isPending={create.isPending}
        submit={(values, { credentials, failed }) =>
          create.mutate(() => newProvider(values, credentials()), {
            onError: failed,
            onSuccess: ({ name }) => props.onAdded(name),
          })
        }
        onCancel={props.onClose}
      />
    </FormModal>
  );
}
