import { Input, PinInput } from "@mantine/core";
import { type ReactNode, useId } from "react";

/** A PIN has 4 to 12 digits. */
const MOST_DIGITS = 12;

/** A box for each digit, of which the last ones may stay empty; nobody who looks on reads them. */
export function PinBoxes(props: {
  readonly label: string;
  readonly description?: string;
  readonly value?: string;
  readonly error?: ReactNode;
  readonly onChange: (digits: string) => void;
  readonly isFirst?: boolean;
  /** How the form calls it: by this it finds what it leads to where the PIN is wrong. */
  readonly "data-path"?: string;
}): ReactNode {
  const id = useId();
  const digits = props.value ?? "";
  const hasError = props.error !== null && props.error !== undefined && props.error !== "";
  return (
    <Input.Wrapper
      label={props.label}
      labelElement="div"
      description={props.description}
      error={hasError && props.error}
      labelProps={{ id: `${id}-label` }}
      errorProps={{ id: `${id}-error`, role: "alert" }}
      withAsterisk
    >
      <PinInput
        role="group"
        aria-labelledby={`${id}-label`}
        mt={6}
        maw={{ base: "15rem", xs: "none" }}
        length={MOST_DIGITS}
        type="number"
        mask
        oneTimeCode={false}
        placeholder=""
        gap={4}
        size="sm"
        value={digits}
        error={hasError}
        onChange={props.onChange}
        style={{ flexWrap: "wrap" }}
        getInputProps={(at) => ({
          "aria-label": `${props.label}, digit ${at + 1}`,
          // One stop of the Tab key: the next empty box. The arrows lead to the others.
          tabIndex: at === Math.min(digits.length, MOST_DIGITS - 1) ? 0 : -1,
          ...(hasError && { "aria-describedby": `${id}-error` }),
          ...(at === 0 && { "data-path": props["data-path"] }),
          ...(at === 0 && props.isFirst === true && { "data-autofocus": true }),
        })}
      />
    </Input.Wrapper>
  );
}
