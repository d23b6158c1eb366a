import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { pageNonce } from "#lib/nonce.ts";
import { Entrance } from "./entrance.tsx";
import { LastResort } from "./last-resort.tsx";
import { cssVariables, theme } from "./theme.ts";

const colorSchemes = localStorageColorSchemeManager({ key: "claviger-colors" });

/** Nobody waits for what is shown later. */
const Overlays = lazy(() => import("./overlays.tsx"));

export function App(props: { readonly client: QueryClient }): ReactNode {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
      getStyleNonce={pageNonce}
    >
      <QueryClientProvider client={props.client}>
        <LastResort>
          <Entrance />
        </LastResort>
        <Suspense fallback={null}>
          <Overlays />
        </Suspense>
      </QueryClientProvider>
    </MantineProvider>
  );
}
