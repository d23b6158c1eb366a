import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const keeper: MantineColorsTuple = [
  "#eef7f8",
  "#dcebed",
  "#b5d6da",
  "#8ac0c7",
  "#67adb6",
  "#50a1ac",
  "#3f949f",
  "#2e808b",
  "#1f6e79",
  "#0e5963",
];

export const theme = createTheme({
  colors: { keeper },
  primaryColor: "keeper",
  primaryShade: 8,
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "600" },
  components: {
    // Yellow and red words are too pale to be read; the border keeps the colour.
    Alert: { styles: { title: { color: "var(--mantine-color-text)" } } },
    Notification: { styles: { description: { color: "var(--mantine-color-text)" } } },
    Badge: { defaultProps: { tt: "none", fw: 500 } },
    PasswordInput: { defaultProps: { visibilityToggleFocusable: true } },
    Modal: { styles: { title: { fontWeight: 600, fontSize: "var(--mantine-font-size-lg)" } } },
  },
  fontSizes: { xs: "0.75rem", sm: "0.875rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
});

/** Quiet words are still read: at least 4.5 to 1 on every ground they stand on (WCAG 2.2, 1.4.3). */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#545c64",
    "--mantine-color-placeholder": "#656d75",
    "--mantine-color-error": "#b42323",
    "--focus-color": "#1f6e79",
  },
  dark: {
    "--mantine-color-dimmed": "#b0b5ba",
    "--mantine-color-placeholder": "#9aa1a8",
    "--mantine-color-error": "#ff8f8f",
    "--mantine-color-anchor": "#8ac0c7",
    "--focus-color": "#8ac0c7",
  },
});
