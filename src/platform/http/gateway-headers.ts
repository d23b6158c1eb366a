/** Borne by every gateway answer: what an upstream sends must not act as a page of this origin. */
export const ANSWER_HEADERS = {
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
} as const;
