import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { fileTime, saveFile } from "#lib/save-file.ts";
import { tellDone, tellProblem } from "#lib/tell.tsx";
import { useExportAudit } from "./api/export-audit.ts";
import type { AuditFilter, AuditRow } from "./api/list-audit.ts";
import { csv, jsonLines } from "./file-texts.ts";

const FORMATS = [
  { label: "CSV", suffix: "csv", type: "text/csv", write: csv },
  { label: "JSON lines", suffix: "jsonl", type: "application/jsonl", write: jsonLines },
] as const;

/** All records that fit the filter, as a file. */
export function ExportMenu(props: { readonly filter: AuditFilter }): ReactNode {
  const exporting = useExportAudit();
  const save = ({ suffix, type, write }: (typeof FORMATS)[number]) => {
    const done = (rows: readonly AuditRow[]) => {
      saveFile(new Blob([write(rows)], { type }), `claviger-audit-${fileTime(new Date())}.${suffix}`);
      tellDone(`Records exported: ${rows.length}.`);
    };
    exporting.mutate(props.filter, { onSuccess: done, onError: tellProblem });
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          loading={exporting.isPending}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map((format) => (
          <Menu.Item key={format.suffix} onClick={() => save(format)}>
            {format.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
