import { Button, Group } from "@mantine/core";
import { Link, useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";

const TABS = [
  { to: "/settings", label: "General" },
  { to: "/settings/server-key", label: "Server key" },
  { to: "/settings/backup", label: "Backup" },
] as const;

/** The way between the pages of the settings, over the header of each. */
export function SettingsTabs(): ReactNode {
  const { pathname } = useLocation();
  return (
    <Group component="nav" aria-label="Settings" gap={4} mb="md">
      {TABS.map(({ to, label }) => (
        <Button
          key={to}
          component={Link}
          to={to}
          size="compact-md"
          variant={pathname === to ? "light" : "subtle"}
          {...(pathname !== to && { color: "gray" })}
          aria-current={pathname === to ? "page" : undefined}
        >
          {label}
        </Button>
      ))}
    </Group>
  );
}
