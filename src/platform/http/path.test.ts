import { expect, test } from "vitest";
import { familyOf, isSpelledAs } from "./path.ts";

test.each([
  ["/api", "api"],
  ["/api/v1/keys", "api"],
  ["/apis", "page"],
  ["/v1", "gateway"],
  ["/v1/models", "gateway"],
  ["/v1beta/models", "gateway"],
  ["/v12", "page"],
  ["/x/search", "gateway"],
  ["/xy", "page"],
  ["/", "page"],
  ["", "page"],
  ["//v1/models", "gateway"],
  ["/V1/models", "gateway"],
  ["/%76%31/models", "gateway"],
  ["/%2576%2531/models", "gateway"],
  ["/health/../api/v1/keys", "api"],
  ["/../../api", "api"],
  ["/.//api;x/v1", "api"],
  ["\\api\\v1", "api"],
  ["/api%2fv1", "api"],
  ["/api%00", "api"],
  ["/%zz/api", "page"],
])("[A3] the path %s lies under %s", (path, family) => {
  expect(familyOf(path)).toBe(family);
});

test.each([
  ["/api/v1/keys/{id}", "/api/v1/keys/key_1", true],
  ["/api/v1/keys/{id}", "/api/v1/keys/a%20b", true],
  ["/api/v1/keys/{id}", "/api/v1/keys/", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/..", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/%2e%2E", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/%252e", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/a%2Fb", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/a%00", false],
  ["/api/v1/keys/{id}", "/api/v1/keys/a#b", false],
  ["/health", "/health", true],
  ["/health", "/%68ealth", false],
  ["/health", "/health/", false],
])("[S4] whether %s is what %s asks for: %s", (template, path, same) => {
  expect(isSpelledAs(template, path)).toBe(same);
});
