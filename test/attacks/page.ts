import type { Outcome } from "./outcome.ts";

/** The text of docs/attacks.md. */
export function pageOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ attack, tried, gotIn, answers }) => `| ${attack} | ${tried} | ${gotIn} | ${answers.join(", ")} |`,
  );
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, each) => total + of(each), 0);
  return `# Attacks on sign-in and sessions

What is tried against a server where somebody is signed in, how often, how often it got in, and what it was answered. In
means: an answer other than a refusal; of guesses, one that was judged beyond the ten that an address has in an hour; of
those who sign in first at once, one beyond the first. After each row nothing is changed, and whoever is signed in still is.

| attack | tried | got in | answered |
| --- | ---: | ---: | --- |
${rows.join("\n")}
| together | ${sum(({ tried }) => tried)} | ${sum(({ gotIn }) => gotIn)} | |

Forged tokens are signed with the server's own secret wherever what they say, and not the signature, is what is wrong. The
pages are real ones in Chromium with a signed-in visitor, on another port of the same address, where the browser sends the
cookie in spite of \`SameSite=Strict\`, and on another name; 404 is what their preflights to \`/login/password\` and \`/logout\` are
answered, where there is nothing but the one method.

## What is not stopped

- Whoever has \`JWT_SECRET\` and the name of a running session can sign a cookie for it.
- Each IPv6 network of /64 has tries of its own. Whoever has a /48 has 65,536 of them, and so ten times as many tries in an hour.
- A proxy in \`TRUSTED_PROXIES\` that passes on \`X-Forwarded-For\` without adding whom it speaks to lets anybody choose an
  address.
- Two servers on one host name have one cookie in the browser: who signs in to one is signed out of the other
  ([people](people.md#sessions)). Neither takes the other's.

## A clock that is moved

Sessions, locks of addresses and codes go by the clock of the machine; timeouts and the cluster's heartbeats go by monotonic time, and
meet nothing of it.

| the clock | sessions | locked addresses | codes of second factors | the own certificate |
| --- | --- | --- | --- | --- |
| moved ahead | those that would have ended have | those whose hour would be over are free | of the new time | made anew within a day |
| set back | those that were begun or used since are refused; sign in again | wait for an hour at most from the next try on | of the new time, also where a later one was used | made anew within a day, or at the next start |

A clock that is less than a minute ahead counts as right. The password is asked for again where it was given at a time that is
yet to come. The tests move the clock of a running server by three years ahead, and by six back.

The page is checked by [test/attacks/attacks.test.ts](../test/attacks/attacks.test.ts) and written by
\`npm run test:system -- test/attacks -u\`.
`;
}
