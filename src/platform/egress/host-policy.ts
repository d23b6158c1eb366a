import { isIP } from "node:net";
import { domainToUnicode } from "node:url";
import { judgeAddress } from "./address-policy.ts";
import { ALLOWED, denied, type Verdict } from "./verdict.ts";

/** Names under which clouds publish the credentials of a machine; also everything below them. */
const METADATA_NAMES = [
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "metadata.azure.com",
  "metadata.tencentyun.com",
  "metadata.platformequinix.com",
  "metadata.packet.net",
  "api.metadata.cloud.ibm.com",
  "instance-data",
  "instance-data.ec2.internal",
  "rancher-metadata",
];

/**
 * Judges a host as a WHATWG URL gives it (lower case, full-width forms folded, every numeric spelling of IPv4 already
 * read). An IP literal is judged as an address; a name only for what it is called, since what it resolves to is
 * judged at every connect.
 */
export function judgeHost(hostname: string): Verdict {
  const name = hostOf(hostname);
  if (isIP(name) !== 0) return judgeAddress(name);
  if (name === "" || /(^|\.)xn--/.test(domainToUnicode(name))) {
    return denied("malformed", "The URL names no host, or one that is not valid Punycode.");
  }
  const isMetadata = METADATA_NAMES.some((known) => name === known || name.endsWith(`.${known}`));
  return isMetadata
    ? denied("metadata", "This server does not connect there: the name is a cloud's metadata service.")
    : ALLOWED;
}

/** The host without brackets, lower case, without trailing dots: what is resolved, dialled and verified. */
export function hostOf(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase()
    .replace(/\.+$/, "");
}

/** The port of a URL, where it may be left out. */
export function portOf(protocol: string, port: string): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
