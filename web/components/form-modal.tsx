import { Group, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useReturnFocus } from "#lib/return-focus.ts";

/** A window for a form; the whole screen where that is narrow. It closes by its buttons alone when `isGrave`. */
export function FormModal(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly isGrave?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const isNarrow = useMediaQuery("(max-width: 36em)");
  useReturnFocus();
  const mayClose = props.isGrave !== true;
  return (
    <Modal.Root
      opened
      onClose={props.onClose}
      size="lg"
      fullScreen={isNarrow}
      closeOnClickOutside={false}
      closeOnEscape={mayClose}
    >
      <Modal.Overlay />
      <Modal.Content>
        {/* Not Modal.Header: that would be a second banner of the page. */}
        <Group justify="space-between" wrap="nowrap" p="md" pb={0}>
          <Modal.Title>{props.title}</Modal.Title>
          {mayClose && <Modal.CloseButton aria-label="Close" />}
        </Group>
        <Modal.Body pt="md">{props.children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
