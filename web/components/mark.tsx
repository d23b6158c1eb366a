import type { ReactNode } from "react";
import mark from "../app/mark.svg";

/** The sign of the program. */
export function Mark(): ReactNode {
  return <img src={mark} width={28} height={28} alt="" />;
}
