import { NavLink } from "@mantine/core";
import { Link, useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import { useFirstRun } from "./first-run.ts";
import { PAGES } from "./pages.tsx";

/** The pages that this person may use. */
export function Navigation(): ReactNode {
  const { pathname } = useLocation();
  const me = useMe();
  const isNew = useFirstRun();
  return [...PAGES].map(([path, { nav }]) => {
    if (nav?.whileNew === true && !isNew) return null;
    if (nav === undefined || (nav.action !== undefined && !mayDo(me, nav.action))) return null;
    const isHere = path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`);
    return (
      <NavLink
        key={path}
        component={Link}
        to={path}
        label={nav.label}
        leftSection={<nav.Icon size={18} stroke={1.6} aria-hidden />}
        active={isHere}
        variant="light"
        aria-current={isHere ? "page" : undefined}
      />
    );
  });
}
