import { Alert, Code, List, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schemas } from "#lib/api-types.ts";

/** What was asked for, and how the server answered: what it re-sealed, or how far it had come. */
export interface RotationEnd {
  readonly of: "rotation" | "repair";
  readonly answer: Schemas["ResealReport"] | Schemas["ResealProgress"];
}

/** How the last rotation or repair of this visit ended, with the rows that did not open. */
export function RotationResult(props: { readonly end: RotationEnd }): ReactNode {
  const { of, answer } = props.end;
  const title = of === "rotation" ? "The new server key holds" : "Everything was looked at";
  if ("running" in answer)
    return (
      <Alert role="status" variant="outline" color="blue.8" title={title}>
        The stored credentials are still being sealed anew; the server serves meanwhile.
      </Alert>
    );
  const { resealed, failed } = answer;
  if (failed.length === 0)
    return (
      <Alert role="status" variant="outline" color="green.9" title={title}>
        {resealed === 0 && of === "repair"
          ? "Every stored credential opens; none had to be sealed anew."
          : `Stored credentials sealed anew: ${resealed}.`}
        {of === "rotation" && (
          <>
            {" "}
            Take a <Link to="/settings/backup">new backup</Link>: older ones open with the key of their day.
          </>
        )}
      </Alert>
    );
  return (
    <Alert
      role="alert"
      variant="outline"
      color="red.9"
      title={`${title}, but ${failed.length} stored values do not open`}
    >
      <Stack gap="xs">
        <Text size="sm">
          They are damaged, and were left as they are. Set these credentials anew, or put them back from a
          backup with <Code>claviger restore FILE --only TABLE/ID</Code> while the server is stopped; then
          check again.
        </Text>
        <List size="sm">
          {failed.map(({ table, id }) => (
            <List.Item key={`${table}/${id}`}>
              <Code>
                {table}/{id}
              </Code>
            </List.Item>
          ))}
        </List>
      </Stack>
    </Alert>
  );
}
