import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useChangeProvider } from "./api/change-provider.ts";
import { ProviderForm } from "./provider-form.tsx";
import { changedProvider, formOf, type Provider } from "./provider-terms.ts";

/** Changes where a provider is and how it is reached; its name and kind stay. */
export function EditProvider(props: { readonly of: Provider; readonly onClose: () => void }): ReactNode {
  const { name } = props.of;
  const change = useChangeProvider(name);
  return (
    <FormModal title={`Change ${name}`} onClose={props.onClose}>
      <ProviderForm
        initial={formOf(props.of)}
        isNew={false}
        error={change.error}
        isPending={change.isPending}
        submit={(values, { credentials, failed }) =>
          change.mutate(() => changedProvider(values, credentials()), {
            onError: failed,
            onSuccess: () => {
              tellDone(`${name} is changed from the next request on.`);
              props.onClose();
            },
          })
        }
        onCancel={props.onClose}
      />
    </FormModal>
  );
}
