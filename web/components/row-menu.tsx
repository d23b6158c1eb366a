import { ActionIcon, Menu } from "@mantine/core";
import { IconDotsVertical } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** What can be done with one row. */
export interface RowAction {
  readonly label: string;
  readonly run: () => void;
  readonly isGrave?: boolean;
}

/** The menu at the end of a row; `of` names the row for who cannot see where it stands. */
export function RowMenu(props: { readonly of: string; readonly actions: readonly RowAction[] }): ReactNode {
  if (props.actions.length === 0) return null;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${props.of}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {props.actions.map(({ label, run, isGrave }) => (
          <Menu.Item key={label} onClick={run} {...(isGrave === true && { c: "var(--mantine-color-error)" })}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
