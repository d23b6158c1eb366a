import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import type { RowAction } from "#components/row-menu.tsx";
import { AddProvider } from "./add-provider.tsx";
import { useRemoveProvider } from "./api/remove-provider.ts";
import { EditProvider } from "./edit-provider.tsx";
import type { Provider } from "./provider-terms.ts";
import { SetCredential, SetSecret } from "./set-credential.tsx";
import { TestProvider } from "./test-result.tsx";

/** Which window is open, and of which provider or secret. */
export type Open =
  | { readonly what: "add" }
  | { readonly what: "edit" | "credential" | "test" | "remove"; readonly of: Provider }
  | { readonly what: "secret"; readonly name: string };

/** What can be done with a provider; of one that the file declares nothing is changed here. */
export function actionsOf(of: Provider, open: (window: Open) => void): readonly RowAction[] {
  const test = { label: "Test…", run: () => open({ what: "test", of }) };
  if (of.source === "file") return [test];
  return [
    test,
    { label: "Change…", run: () => open({ what: "edit", of }) },
    { label: "Set credential…", run: () => open({ what: "credential", of }) },
    { label: "Remove…", run: () => open({ what: "remove", of }), isGrave: true },
  ];
}

export function Windows(props: { readonly open: Open | null; readonly onClose: () => void }): ReactNode {
  const navigate = useNavigate();
  const { open, onClose } = props;
  if (open === null) return null;
  const goTo = (to: string) => {
    onClose();
    void navigate({ to });
  };
  switch (open.what) {
    case "add":
      return (
        <AddProvider onClose={onClose} onAdded={(name) => goTo(`/providers/${encodeURIComponent(name)}`)} />
      );
    case "edit":
      return <EditProvider of={open.of} onClose={onClose} />;
    case "credential":
      return <SetCredential of={open.of.name} onClose={onClose} />;
    case "secret":
      return <SetSecret name={open.name} onClose={onClose} />;
    case "test":
      return <TestProvider of={open.of.name} onClose={onClose} />;
    case "remove":
      return <RemoveProvider of={open.of} onClose={onClose} onRemoved={() => goTo("/providers")} />;
    default:
      return open satisfies never;
  }
}

function RemoveProvider(props: {
  readonly of: Provider;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}): ReactNode {
  const remove = useRemoveProvider();
  const { name } = props.of;
  return (
    <ConfirmDestroy
      title={`Remove ${name}?`}
      verb="Remove"
      typeName={name}
      act={() => remove.mutateAsync(name).then(props.onRemoved)}
      onClose={props.onClose}
    >
      Programs that ask for {name} are refused from their next request on. Its credentials are deleted with
      it, and cannot be read back.
    </ConfirmDestroy>
  );
}
