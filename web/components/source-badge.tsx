import { Badge } from "@mantine/core";
import type { ReactNode } from "react";

/** Where a thing is from: what the configuration file declares is changed there alone. */
export function SourceBadge(props: { readonly source: string }): ReactNode {
  return (
    <Badge variant="outline" color="gray" tt="none" miw="max-content">
      {props.source}
    </Badge>
  );
}
