import "@mantine/notifications/styles.layer.css";
import { Notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { PasswordAgain } from "#features/session/password-again.tsx";

/** What is shown over any page: short messages, and the question for the password. */
export default function Overlays(): ReactNode {
  return (
    <>
      <Notifications position="top-right" />
      <PasswordAgain />
    </>
  );
}
