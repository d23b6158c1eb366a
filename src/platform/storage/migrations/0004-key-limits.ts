/** What a key is limited to, as a JSON object; `{}` is nothing. */
export const sql = `
ALTER TABLE api_key ADD COLUMN limits TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(limits));
`;
