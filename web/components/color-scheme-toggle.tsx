import { ActionIcon, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import type { ReactNode } from "react";

const NEXT = { auto: "light", light: "dark", dark: "auto" } as const;
const SHOWN = {
  auto: { label: "Colours: as the system has them", Icon: IconDeviceDesktop },
  light: { label: "Colours: light", Icon: IconSun },
  dark: { label: "Colours: dark", Icon: IconMoon },
} as const;

/** Light, dark, or as the system has it; this browser remembers. */
export function ColorSchemeToggle(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { label, Icon } = SHOWN[colorScheme];
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(NEXT[colorScheme])}
    >
      <Icon size={18} />
    </ActionIcon>
  );
}
