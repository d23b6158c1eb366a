import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { askPasswordBy } from "#lib/session-signals.ts";

const PasswordAgainForm = lazy(() => import("./password-again-form.tsx"));

/** The one window that asks for the password again, for whichever call wants it. */
export function PasswordAgain(): ReactNode {
  const [answer, setAnswer] = useState<((isGiven: boolean) => void) | null>(null);
  useEffect(() => askPasswordBy(() => new Promise((resolve) => setAnswer(() => resolve))), []);
  if (answer === null) return null;
  const end = (isGiven: boolean) => {
    answer(isGiven);
    setAnswer(null);
  };
  return (
    <Suspense fallback={null}>
      <PasswordAgainForm end={end} />
    </Suspense>
  );
}
