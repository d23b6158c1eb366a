import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { PasswordAgain } from "#features/session/password-again.tsx";
import { pageNonce } from "#lib/nonce.ts";
import { Entrance } from "./entrance.tsx";
import type { createAppRouter } from "./router.tsx";
import { cssVariables, theme } from "./theme.ts";

const colorSchemes = localStorageColorSchemeManager({ key: "claviger-colors" });

export function App(props: {
  readonly client: QueryClient;
  readonly router: ReturnType<typeof createAppRouter>;
}): ReactNode {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
      getStyleNonce={pageNonce}
    >
      <QueryClientProvider client={props.client}>
        <Notifications position="top-right" />
        <Entrance router={props.router} />
        <PasswordAgain />
      </QueryClientProvider>
    </MantineProvider>
  );
}
