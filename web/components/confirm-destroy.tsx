import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { FormModal } from "./form-modal.tsx";
import { ProblemAlert } from "./problem-alert.tsx";

/** Asks before what cannot be undone; where it is grave, `typeName` must be typed first. It closes once `act` is done. */
export function ConfirmDestroy(props: {
  readonly title: string;
  readonly verb: string;
  readonly typeName?: string;
  readonly act: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const [typed, setTyped] = useState("");
  const acting = useMutation({ mutationFn: props.act, onSuccess: props.onClose });
  const isTyped = props.typeName === undefined || typed === props.typeName;
  return (
    <FormModal title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isTyped) acting.mutate();
        }}
      >
        <Stack>
          <Text component="div">{props.children}</Text>
          {props.typeName !== undefined && (
            <TextInput
              label={`Type ${props.typeName} to go on`}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          <ProblemAlert error={acting.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red.9" disabled={!isTyped} loading={acting.isPending}>
              {props.verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
