import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { EmptyState } from "#components/empty-state.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import type { Range } from "#lib/ranges.ts";

/** What stands in place of charts while nothing was asked: how to ask. */
export function NoRequests({ range }: { readonly range: Range }): ReactNode {
  const mayIssue = mayDo(useMe(), "keys.manage");
  return (
    <EmptyState
      title={`No request in the last ${range.words}`}
      about="Requests, tokens, cost and times are drawn here as programs use this server. Each presents an API key: put one into the variable below, and the name of a model this server has, and ask."
      action={
        mayIssue && (
          <Button component={Link} to="/keys">
            Issue an API key
          </Button>
        )
      }
      command={curlLine()}
    />
  );
}

function curlLine(): string {
  const body = { model: "PROVIDER/MODEL", messages: [{ role: "user", content: "Hello" }] };
  return [
    `curl ${location.origin}/v1/chat/completions \\`,
    '  -H "Authorization: Bearer $CLAVIGER_KEY" -H "Content-Type: application/json" \\',
    `  -d '${JSON.stringify(body)}'`,
  ].join("\n");
}
