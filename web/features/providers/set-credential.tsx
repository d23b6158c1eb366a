import type { ReactNode } from "react";
import { tellDone } from "#lib/tell.tsx";
import { useChangeProvider } from "./api/change-provider.ts";
import { useSetSecret } from "./api/set-secret.ts";
import { CredentialForm } from "./credential-form.tsx";
import { asCredential } from "./provider-terms.ts";

/** Replaces the credentials of a provider of the store. */
export function SetCredential(props: { readonly of: string; readonly onClose: () => void }): ReactNode {
  const change = useChangeProvider(props.of);
  return (
    <CredentialForm
      title={`Credential of ${props.of}`}
      about="What is typed here replaces all credentials the provider has."
      error={change.error}
      isPending={change.isPending}
      submit={(credentials) =>
        change.mutate(() => ({ credentials: credentials().map(asCredential) }), {
          onSuccess: () => {
            tellDone(`${props.of} has a new credential.`);
            props.onClose();
          },
        })
      }
      onClose={props.onClose}
    />
  );
}

/** Sets a sealed secret that the configuration file names. */
export function SetSecret(props: { readonly name: string; readonly onClose: () => void }): ReactNode {
  const set = useSetSecret(props.name);
  return (
    <CredentialForm
      title={`Secret ${props.name}`}
      about="The configuration file names this secret; what it is stands here alone."
      isSingle
      error={set.error}
      isPending={set.isPending}
      submit={(credentials) =>
        set.mutate(() => credentials()[0] ?? "", {
          onSuccess: () => {
            tellDone(`The secret ${props.name} is set.`);
            props.onClose();
          },
        })
      }
      onClose={props.onClose}
    />
  );
}
