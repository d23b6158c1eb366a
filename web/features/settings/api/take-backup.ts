import { useMutation } from "@tanstack/react-query";
import { download } from "#lib/api.ts";

/** A backup, whole; with a password of its own where one is given. */
export function useTakeBackup() {
  return useMutation({
    mutationFn: (wanted: { readonly password: string | null; readonly withConfig: boolean }) =>
      wanted.password === null
        ? download("GET /api/v1/backup")
        : download("POST /api/v1/backup", {
            body: { password: wanted.password, with_config: wanted.withConfig },
          }),
  });
}
