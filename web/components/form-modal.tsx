import { Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";

/** A window for a form; the whole screen where that is narrow. It closes by its buttons alone when `isGrave`. */
export function FormModal(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly isGrave?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const isNarrow = useMediaQuery("(max-width: 36em)");
  const mayClose = props.isGrave !== true;
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.title}
      size="lg"
      fullScreen={isNarrow}
      withCloseButton={mayClose}
      closeOnClickOutside={false}
      closeOnEscape={mayClose}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {props.children}
    </Modal>
  );
}
