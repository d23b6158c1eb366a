import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("who joined is in until it leaves, and the numbers of those who left are given again", () => {
  const slots = new Slots<{ name: string }>();
  const [first, second, third] = ["first", "second", "third"].map((name) => ({ name }));
  const numbers = [first, second].map((member) => slots.join(member ?? { name: "" }));
  expect(slots.all()).toEqual([first, second]);
  slots.leave(numbers[0] ?? -1);
  expect(slots.all()).toEqual([second]);
  expect(slots.join(third ?? { name: "" })).toBe(numbers[0]);
  expect(slots.all()).toEqual([third, second]);
});

test("a member that leaves while all are told is told all the same, and the others once", () => {
  const slots = new Slots<{ number: number }>();
  const members = [1, 2, 3].map((number) => ({ number, slot: -1 }));
  for (const member of members) member.slot = slots.join(member);
  const told: number[] = [];
  for (const { number } of slots.all()) {
    told.push(number);
    for (const { slot } of members.splice(0)) slots.leave(slot);
  }
  expect(told).toEqual([1, 2, 3]);
  expect(slots.all()).toEqual([]);
});
