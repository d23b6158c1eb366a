import { byteAt, hasPrefix, type IpBytes, parseIp } from "../lib/ip-address.ts";
import { ALLOWED, type DenialRule, denied, type Verdict } from "./verdict.ts";

/**
 * Whether an IP address may be dialled. Loopback and private ranges may. Denied are link-local, cloud metadata,
 * unspecified, multicast and reserved addresses, also where an IPv6 address carries one of them: IPv4-mapped and
 * IPv4-compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380)
 * and ISATAP (RFC 5214). Text that is no address in canonical notation is denied.
 */
export function judgeAddress(text: string): Verdict {
  const bytes = parseIp(text);
  return bytes === undefined ? denied("malformed", "That is not an IP address.") : judgeBytes(bytes);
}

function judgeBytes(bytes: IpBytes): Verdict {
  const range = RANGES.find(({ prefix, bits }) => contains(bytes, prefix, bits));
  if (range !== undefined) return denied(range.rule, reason(range.what));
  if (bytes.length === 4 || isLoopback6(bytes)) return ALLOWED;
  for (const { form, read } of EMBEDDED) {
    for (const inner of read(bytes)) {
      const verdict = judgeBytes(inner);
      if (!verdict.allowed) return denied(verdict.rule, `${verdict.reason.slice(0, -1)}, within ${form}.`);
    }
  }
  return ALLOWED;
}

function reason(what: string): string {
  return `This server does not connect there: the address is ${what}.`;
}

interface Range {
  readonly prefix: IpBytes;
  readonly bits: number;
  readonly rule: DenialRule;
  readonly what: string;
}

/** `address/bits`; the whole address where no bits stand. */
function range(text: string, rule: DenialRule, what: string): Range {
  const [address = "", bits] = text.split("/");
  const prefix = parseIp(address);
  if (prefix === undefined) throw new Error(`${text} is no address range`);
  return { prefix, bits: bits === undefined ? prefix.length * 8 : Number(bits), rule, what };
}

const METADATA = "a cloud's metadata service";
/** Metadata before the range it lies in, so that the reason is the telling one. */
const RANGES: readonly Range[] = [
  // AWS, Google, Azure, Oracle, DigitalOcean, Hetzner, OpenStack; ECS task credentials; EKS pod identity.
  range("169.254.169.254", "metadata", METADATA),
  range("169.254.170.2", "metadata", METADATA),
  range("169.254.170.23", "metadata", METADATA),
  range("100.100.100.200", "metadata", METADATA), // Alibaba
  range("168.63.129.16", "metadata", METADATA), // Azure's host agent
  range("192.0.0.192", "metadata", METADATA), // Oracle, classic
  range("fd00:ec2::/32", "metadata", METADATA), // AWS: ::254, ::23 and the other services of its hypervisor
  range("fd20:ce::254", "metadata", METADATA), // Google
  range("fd00:c1::a9fe:a9fe", "metadata", METADATA), // Oracle
  range("fd00:42::42", "metadata", METADATA), // Scaleway
  range("fd00:a9fe:a9fe::1", "metadata", METADATA), // Linode
  range("fe80::a9fe:a9fe", "metadata", METADATA), // OpenStack
  range("169.254.0.0/16", "link-local", "link-local"),
  range("fe80::/10", "link-local", "link-local"),
  range("0.0.0.0/8", "unspecified", "in the unspecified range 0.0.0.0/8"),
  range("::", "unspecified", "the unspecified address"),
  range("224.0.0.0/4", "multicast", "a multicast address"),
  range("ff00::/8", "multicast", "a multicast address"),
  range("255.255.255.255", "reserved", "the broadcast address"),
  range("240.0.0.0/4", "reserved", "in the reserved range 240.0.0.0/4"),
];

function contains(bytes: IpBytes, prefix: IpBytes, bits: number): boolean {
  if (bytes.length !== prefix.length) return false;
  const whole = bits >> 3;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return (
    hasPrefix(bytes, prefix.slice(0, whole)) && ((byteAt(bytes, whole) ^ byteAt(prefix, whole)) & mask) === 0
  );
}

function isLoopback6(bytes: IpBytes): boolean {
  return byteAt(bytes, 15) === 1 && bytes.slice(0, 15).every((byte) => byte === 0);
}

interface EmbeddedForm {
  readonly form: string;
  /** The IPv4 addresses it carries; none when the address is not of this form. */
  readonly read: (bytes: IpBytes) => readonly IpBytes[];
}

const last4 = (bytes: IpBytes): readonly IpBytes[] => [bytes.slice(12)];
const withPrefix =
  (prefix: IpBytes, read: (bytes: IpBytes) => readonly IpBytes[]) =>
  (bytes: IpBytes): readonly IpBytes[] =>
    hasPrefix(bytes, prefix) ? read(bytes) : [];
const zeros = (count: number): number[] => Array<number>(count).fill(0);

const EMBEDDED: readonly EmbeddedForm[] = [
  { form: "an IPv4-mapped address", read: withPrefix([...zeros(10), 0xff, 0xff], last4) },
  { form: "an IPv4-compatible address", read: withPrefix(zeros(12), last4) },
  { form: "an IPv4-translated address", read: withPrefix([...zeros(8), 0xff, 0xff, 0, 0], last4) },
  { form: "a NAT64 address", read: withPrefix([0, 0x64, 0xff, 0x9b, ...zeros(8)], last4) },
  { form: "a local NAT64 address", read: withPrefix([0, 0x64, 0xff, 0x9b, 0, 1], readLocalNat64) },
  { form: "a 6to4 address", read: withPrefix([0x20, 0x02], (bytes) => [bytes.slice(2, 6)]) },
  { form: "a Teredo address", read: withPrefix([0x20, 0x01, 0, 0], readTeredo) },
  { form: "an ISATAP address", read: (bytes) => (isIsatap(bytes) ? last4(bytes) : []) },
];

/**
 * Below 64:ff9b:1::/48 the operator chooses the prefix's length, and so where the address stands (RFC 6052 section
 * 2.2, byte 8 left out). Every place is read; one but the usual last that reads 0.x.y.z is not the place.
 */
function readLocalNat64(bytes: IpBytes): readonly IpBytes[] {
  const places = [
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
  ];
  const read = places.map((place) => place.map((index) => byteAt(bytes, index)));
  return [...read.filter((address) => byteAt(address, 0) !== 0), bytes.slice(12)];
}

/** The server's address, and the client's, which stands inverted. */
function readTeredo(bytes: IpBytes): readonly IpBytes[] {
  return [bytes.slice(4, 8), bytes.slice(12).map((byte) => byte ^ 0xff)];
}

function isIsatap(bytes: IpBytes): boolean {
  // The two lowest bits of the first byte say universal and group; either may be set.
  return (byteAt(bytes, 8) & 0xfc) === 0 && hasPrefix(bytes, [0, 0x5e, 0xfe], 9);
}
