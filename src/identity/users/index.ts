export { isCommonInitialPassword } from "./password-rules.ts";
export { openPeople, type People } from "./people.ts";
export { peopleRoutes } from "./routes/routes.ts";
