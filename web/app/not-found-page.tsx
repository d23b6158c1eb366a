import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";

export function NotFoundPage(): ReactNode {
  return (
    <>
      <PageHeader title="There is no such page" />
      <Text>
        The address may be mistyped, or of another version. Go to the{" "}
        <Anchor component={Link} to="/" underline="always">
          overview
        </Anchor>
        .
      </Text>
    </>
  );
}
