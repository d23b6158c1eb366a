import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // The server puts the nonce of each answer in its place.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    // No data: URI where the policy of the page has no word for one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
