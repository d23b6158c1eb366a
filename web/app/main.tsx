import "@mantine/core/styles/baseline.layer.css";
import "@mantine/core/styles/default-css-variables.layer.css";
import "@mantine/core/styles/global.layer.css";
import "./focus.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { announceNonce } from "#lib/nonce.ts";
import { createQueryClient } from "#lib/query-client.ts";
import { App } from "./app.tsx";
import { watchSession } from "./session-watch.ts";

announceNonce();
const client = createQueryClient();
watchSession(client);
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <App client={client} />
  </StrictMode>,
);
