export type { Cluster } from "./cluster.ts";
export { readCredentials } from "./credential-files.ts";
export { type FoundMember, findMembers } from "./find-members.ts";
export { MemberDigest } from "./member-digest.ts";
export type { NodeFacts } from "./nodes-route.ts";
export { openClusterService } from "./open-service.ts";
export { parsePin } from "./pin.ts";
export { preparePinReset } from "./reset-pin.ts";
