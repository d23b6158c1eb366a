import type { ReactNode } from "react";
import { exactQuantity, shortQuantity, type Unit } from "#lib/units.ts";

/** A number with its unit, short; the exact one is its title. `none` stands for null. */
export function Quantity(props: {
  readonly value: number | null | undefined;
  readonly unit: Unit;
  readonly none?: string;
}): ReactNode {
  const { value, unit } = props;
  if (value === null || value === undefined) return props.none ?? "–";
  return (
    <span title={exactQuantity(value, unit)} style={{ fontVariantNumeric: "tabular-nums" }}>
      {shortQuantity(value, unit)}
    </span>
  );
}
