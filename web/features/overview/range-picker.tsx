import { SegmentedControl } from "@mantine/core";
import type { ReactNode } from "react";
import { RANGES, type Range } from "#lib/ranges.ts";

/** How far back the page looks. */
export default function RangePicker(props: {
  readonly value: Range;
  readonly onChange: (value: string) => void;
}): ReactNode {
  return (
    <SegmentedControl
      aria-label="How far back"
      data={RANGES.map(({ value, label }) => ({ value, label }))}
      value={props.value.value}
      onChange={props.onChange}
    />
  );
}
