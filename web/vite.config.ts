import { existsSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const STYLED = /\/@mantine\/core\/esm\/(?:components|utils)\/.+\.mjs$/;
const CLASSES = /from "[./]+(?:\w+\/)*(\w+)\.module\.mjs"/g;

/**
 * Has each component bring its own styles, after those of the components it is made of: a page loads what it shows, and
 * nobody keeps a list. They are in a layer, so that styles of our own win whatever comes first.
 */
function stylesOfComponents(): Plugin {
  return {
    name: "styles-of-components",
    transform: {
      filter: { id: STYLED },
      handler(code) {
        const names = new Set([...code.matchAll(CLASSES)].map(([, name]) => name));
        const sheets = [...names].map((name) => `@mantine/core/styles/${name}.layer.css`);
        const imports = sheets.filter(isThere).map((sheet) => `import ${JSON.stringify(sheet)};`);
        return { code: [code, ...imports].join("\n"), map: null };
      },
    },
  };
}

function isThere(sheet: string): boolean {
  return existsSync(new URL(`node_modules/${sheet}`, import.meta.url));
}

export default defineConfig({
  plugins: [react(), stylesOfComponents()],
  // The server puts the nonce of each answer in its place.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    // No data: URI where the policy of the page has no word for one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
});
