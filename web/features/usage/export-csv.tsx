import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { tellProblem } from "#lib/tell.tsx";
import { readAllUsage, type UsageAsked, type UsageSort } from "./api/list-usage.ts";
import { usageCsv } from "./usage-csv.ts";

/** Gives all that is asked for as a file for a spreadsheet. */
export function ExportCsv(props: { readonly asked: UsageAsked; readonly sort: UsageSort }): ReactNode {
  const { asked, sort } = props;
  const exporting = useMutation({
    mutationFn: async () => usageCsv(asked.by, await readAllUsage(asked, sort)),
    onSuccess: (csv) => save(csv, `usage-by-${asked.by}-${asked.from}.csv`),
    onError: tellProblem,
  });
  return (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      loading={exporting.isPending}
      onClick={() => exporting.mutate()}
    >
      Export CSV
    </Button>
  );
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
