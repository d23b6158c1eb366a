import { expect, test } from "vitest";
import { COMMON_PINS } from "./common-pins.ts";
import { parsePin } from "./pin.ts";

const reasonOf = (text: unknown) => {
  const parsed = parsePin(text);
  return parsed.ok ? "accepted" : parsed.reason;
};

test.each([
  "7392",
  "0739",
  "739264",
  "8802467",
  "739264185307",

  "3102",
  "291301",
])("[C1] %s is a PIN", (text) => {
  const parsed = parsePin(text);
  expect(parsed.ok && parsed.pin.expose()).toBe(text);
});

test.each([
  "",
  "739",
  "7392641853071",
  "73926a",
  " 7392",
  "7392\n",
  "73 92",
  "-7392",
  "7392.1",
  "٧٣٩٢٦٤",
  "７３９２６４",
])("[C1] %j is not 4 to 12 ASCII digits", (text) =>
  expect(reasonOf(text)).toBe("A PIN is 4 to 12 digits, nothing else."));

test.each([7392, undefined, null, ["7392"], { pin: "7392" }])("[C1] %j is no text, so no PIN", (value) =>
  expect(reasonOf(value)).toBe("A PIN is 4 to 12 digits, nothing else."));

test.each([
  ["repeats itself", ["0000", "1111", "99999", "1212", "343434", "123123", "73927392", "739273927392"]],
  [
    "counts up or down",
    ["1234", "9876", "0123456", "7890", "3210987", "2468", "13579", "8642", "123456789012"],
  ],
  ["is a year", ["1900", "1987", "2026", "2099"]],
  ["is among the 250 commonest", ["2580", "1004", "5150", "1122"]],
  ["is a date (DDMM)", ["3107", "2902", "1309"]],
  ["is a date (MMDD)", ["0731", "0229", "0913"]],
  ["is a date (DDMMYY)", ["310799", "290200", "290224"]],
  ["is a date (MMDDYY)", ["073199"]],
  ["is a date (YYMMDD)", ["990731", "880215", "720229"]],
  ["is a date (YYYYMM)", ["198707"]],
  ["is a date (DDMMYYYY)", ["31071987", "29022000"]],
  ["is a date (MMDDYYYY)", ["07311987"]],
  ["is a date (YYYYMMDD)", ["19870731", "20240229"]],
])("[C1] a PIN that %s is refused with this reason", (reason, pins) => {
  for (const pin of pins) expect(`${pin}: ${reasonOf(pin)}`).toContain(`${pin}: This PIN ${reason}`);
});

test.each([
  "3207",
  "0732",
  "3102",
  "310499",
  "290271",
  "31071899",
  "19001301",
  "29021900",
  "131987",
])("[C1] %s looks like a date but is no day of the calendar", (pin) =>
  expect(reasonOf(pin)).toBe("accepted"));

test("[C1] all of the 250 commonest are refused, and 9,081 of four digits are left", () => {
  expect(COMMON_PINS.size).toBe(250);
  for (const pin of COMMON_PINS) expect(reasonOf(pin), pin).not.toBe("accepted");
  const all = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, "0"));
  const accepted = all.filter((pin) => reasonOf(pin) === "accepted").length;
  // As docs/cluster.md says.
  expect(accepted).toBe(9_081);
});
