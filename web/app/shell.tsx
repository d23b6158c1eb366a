import { Anchor, AppShell, Box, Burger, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { ColorSchemeToggle } from "#components/color-scheme-toggle.tsx";
import { Mark } from "#components/mark.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import { useFirstRun } from "./first-run.ts";
import { Navigation } from "./navigation.tsx";
import classes from "./shell.module.css";
import { UserLinks } from "./user-links.tsx";

/** Around every page: who and where, the way to the others, and the page itself, which gets the focus when it changes. */
export function Shell(): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useLeadToFirstSteps(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    close();
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, close]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={{ base: "md", md: "xl" }}
    >
      <Anchor href="#main" className={classes.skip ?? ""}>
        Skip to the page
      </Anchor>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? "Close the navigation" : "Open the navigation"}
              aria-expanded={isOpen}
            />
            <Mark />
            <Text fw={600} truncate>
              {location.host}
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Box visibleFrom="sm">
              <LockState />
            </Box>
            <ColorSchemeToggle />
            <UserLinks />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" className={isOpen ? "" : (classes.closed ?? "")}>
        <AppShell.Section grow>
          <Navigation />
        </AppShell.Section>
        <AppShell.Section hiddenFrom="sm" p="sm">
          <LockState />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} className={classes.main ?? ""}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** Who comes to a new server by its address alone begins with its first steps; all other pages are a click away. */
function useLeadToFirstSteps(pathname: string): void {
  const isNew = useFirstRun();
  const navigate = useNavigate();
  const wasLed = useRef(pathname !== "/");
  useEffect(() => {
    if (!isNew || wasLed.current) return;
    wasLed.current = true;
    void navigate({ to: "/welcome", replace: true });
  }, [isNew, navigate]);
}

function LockState(): ReactNode {
  const { data } = useQuery(keyStatus());
  if (data === undefined) return null;
  if (data.initialized) return <StateBadge tone="good">Unlocked</StateBadge>;
  return <StateBadge tone="warning">No server key</StateBadge>;
}
