/** What one upstream wants otherwise than the rest, as a JSON object of options; `{}` is none. */
export const sql = `
ALTER TABLE provider ADD COLUMN options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options));
`;
