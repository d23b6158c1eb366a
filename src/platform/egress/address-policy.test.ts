import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeAddress } from "./address-policy.ts";

/** Address, expected verdict (a rule, or `-` for allowed), why. */
const ROWS = `
127.0.0.1 - loopback
127.255.255.254 - loopback, last
10.0.0.1 - private
172.16.0.1 - private
172.31.255.254 - private
192.168.1.10 - private
100.64.0.1 - carrier NAT, where overlay networks live
100.100.100.199 - beside Alibaba's metadata
100.100.100.201 - beside Alibaba's metadata
168.63.129.15 - beside Azure's
168.63.129.17 - beside Azure's
192.0.0.191 - beside Oracle's
192.0.0.193 - beside Oracle's
169.253.255.255 - below link-local
169.255.0.0 - above link-local
1.0.0.0 - above 0.0.0.0/8
223.255.255.255 - below multicast
8.8.8.8 - public
198.18.0.1 - benchmark range, a laboratory's own
203.0.113.7 - documentation range
::1 - loopback
0:0:0:0:0:0:0:1 - loopback in full
::1%lo - loopback with a zone
fc00::1 - private
fd12:3456:789a::1 - private
fdff:ffff::1 - private, last
2606:4700::1111 - public
2001:db8::1 - documentation
2003::1 - above 6to4
2001:1::1 - above Teredo
64:ff9c::1 - above NAT64
64:ff9b:2::1 - above local NAT64
fd00:ec1::254 - beside AWS
fd20:ce::253 - beside Google
fd20:cf::254 - beside Google
fd00:42::43 - beside Scaleway
fd00:c1::a9fe:a9ff - beside Oracle
fe7f:ffff::1 - below link-local
fec0::1 - above link-local
1:2:3:4:a:0:100:0 - no embedded form
1::5eff:a9fe:a9fe - beside ISATAP
1:2:3:4:400:5efe:a9fe:a9fe - beside ISATAP, another bit
::ffff:127.0.0.1 - mapped loopback
::ffff:192.168.1.1 - mapped private
::ffff:0:8.8.8.8 - translated public
::8.8.8.8 - compatible public
64:ff9b::8.8.8.8 - NAT64 public
64:ff9b::10.0.0.1 - NAT64 private
64:ff9b:1::8.8.8.8 - local NAT64 with a prefix of 96 bits
64:ff9b:1:808:8:808:808:808 - local NAT64 that is public in every place
64:ff9b:1:808:8:800:: unspecified local NAT64 that ends in 0.0.0.0
2002:808:808::1 - 6to4 public
2001:0:808:808:0:0:f7f7:f7f7 - Teredo, server and client 8.8.8.8
2001:db8::5efe:8.8.8.8 - ISATAP public
0.0.0.0 unspecified this host
0.0.0.1 unspecified the range
0.255.255.255 unspecified the range, last
169.254.0.0 link-local first
169.254.0.1 link-local range
169.254.169.253 link-local AWS's resolver
169.254.255.255 link-local last
169.254.169.254 metadata AWS, Google, Azure
169.254.170.2 metadata ECS
169.254.170.23 metadata EKS
100.100.100.200 metadata Alibaba
168.63.129.16 metadata Azure
192.0.0.192 metadata Oracle
224.0.0.0 multicast first
224.0.0.251 multicast mDNS
239.255.255.250 multicast SSDP
239.255.255.255 multicast last
240.0.0.0 reserved first
250.1.2.3 reserved range
255.255.255.254 reserved last but one
255.255.255.255 reserved broadcast
:: unspecified this host
0:0:0:0:0:0:0:0 unspecified in full
::0.0.0.0 unspecified dotted
::2 unspecified compatible 0.0.0.2
fe80::1 link-local first
fe80::1%eth0 link-local with a zone
fe80::1%25eth0 link-local with an escaped zone
febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff link-local last
fe90::1 link-local within
fe80::a9fe:a9fe metadata OpenStack
FE80::A9FE:A9FE metadata upper case
fd00:ec2::254 metadata AWS
fd00:ec2::23 metadata EKS
FD00:0EC2:0:0:0:0:0:0254 metadata AWS, upper case in full
fd00:ec2::253 metadata AWS's resolver
fd20:ce::254 metadata Google
fd20:00ce:0000:0000:0000:0000:0000:0254 metadata Google in full
fd00:42::42 metadata Scaleway
fd00:c1::a9fe:a9fe metadata Oracle
fd00:a9fe:a9fe::1 metadata Linode
ff00:: multicast first
ff02::1 multicast all nodes
ff02::fb multicast mDNS
ff0e::1 multicast global
ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff multicast last
::ffff:169.254.169.254 metadata mapped
::ffff:a9fe:a9fe metadata mapped, hex
0:0:0:0:0:ffff:a9fe:a9fe metadata mapped, in full
0000:0000:0000:0000:0000:FFFF:169.254.169.254 metadata mapped, dotted in full
::ffff:100.100.100.200 metadata mapped
::ffff:168.63.129.16 metadata mapped
::ffff:192.0.0.192 metadata mapped
::ffff:169.254.170.2 metadata mapped
::ffff:0.0.0.0 unspecified mapped
::ffff:224.0.0.1 multicast mapped
::ffff:255.255.255.255 reserved mapped
::ffff:169.254.1.1 link-local mapped
::ffff:169.254.169.254%lo metadata mapped with a zone
::169.254.169.254 metadata compatible
::a9fe:a9fe metadata compatible, hex
::100.100.100.200 metadata compatible
::6464:64c8 metadata compatible, hex
::224.0.0.1 multicast compatible
::ffff:0:169.254.169.254 metadata translated
::ffff:0:a9fe:a9fe metadata translated, hex
0:0:0:0:ffff:0:a9fe:a9fe metadata translated, in full
::ffff:0:100.100.100.200 metadata translated
::ffff:0:0.0.0.0 unspecified translated
64:ff9b::169.254.169.254 metadata NAT64
64:ff9b::a9fe:a9fe metadata NAT64, hex
0064:ff9b:0:0:0:0:a9fe:a9fe metadata NAT64, in full
64:ff9b::100.100.100.200 metadata NAT64
64:ff9b::168.63.129.16 metadata NAT64
64:ff9b::0.0.0.0 unspecified NAT64
64:ff9b::255.255.255.255 reserved NAT64
64:ff9b:1::169.254.169.254 metadata local NAT64, prefix of 96 bits
64:ff9b:1:0:0:0:a9fe:a9fe metadata local NAT64, in full
64:ff9b:1:1:2:3:a9fe:a9fe metadata local NAT64, another prefix of 96 bits
64:ff9b:1:a9fe:a9:fe00:: metadata local NAT64, prefix of 48 bits
64:ff9b:1:a9:fe:a9fe:: metadata local NAT64, prefix of 56 bits
64:ff9b:1:0:a9:fea9:fe00:0 metadata local NAT64, prefix of 64 bits
64:ff9b:1:: unspecified local NAT64 of 0.0.0.0
64:ff9b:1::100.100.100.200 metadata local NAT64
2002:a9fe:a9fe:: metadata 6to4
2002:a9fe:a9fe:1::1 metadata 6to4, a network within
2002:6464:64c8::1 metadata 6to4
2002:a83f:8110::1 metadata 6to4 of Azure's
2002:c000:c0::1 metadata 6to4 of Oracle's
2002:: unspecified 6to4 of 0.0.0.0
2002:e000:1::1 multicast 6to4
2002:ffff:ffff::1 reserved 6to4
2001:0:a9fe:a9fe:0:0:f7f7:f7f7 metadata Teredo server
2001:0:808:808:0:0:5601:5601 metadata Teredo client
2001:0:808:808:8000:1234:9b9b:9b37 metadata Teredo client 100.100.100.200
2001:0:6464:64c8:0:0:f7f7:f7f7 metadata Teredo server
2001:0:808:808:0:0:ffff:ffff unspecified Teredo client 0.0.0.0
2001:: unspecified Teredo server 0.0.0.0
fe80::5efe:a9fe:a9fe link-local ISATAP in link-local
2001:db8::5efe:169.254.169.254 metadata ISATAP
2001:db8:1:2:0:5efe:a9fe:a9fe metadata ISATAP, hex
2001:db8:1:2:200:5efe:a9fe:a9fe metadata ISATAP, universal bit
2001:db8:1:2:100:5efe:a9fe:a9fe metadata ISATAP, group bit
2001:db8:1:2:300:5efe:a9fe:a9fe metadata ISATAP, both bits
fd00::5efe:100.100.100.200 metadata ISATAP in a private network
2002:808:808:0:0:5efe:a9fe:a9fe metadata ISATAP within 6to4
169.254.169.254. malformed trailing dot
0251.254.169.254 malformed octal
2852039166 malformed decimal
0xa9fea9fe malformed hex
169.254.43518 malformed short
0 malformed short
1.2.3 malformed short
1.2.3.4.5 malformed too long
256.1.1.1 malformed beyond a byte
[::1] malformed brackets
:::1 malformed colons
1::2::3 malformed twice shortened
12345::1 malformed group too long
localhost malformed name
１６９.254.169.254 malformed full width
`;

const rows = ROWS.trim()
  .split("\n")
  .map((line) => {
    const [address = "", expected = "", ...why] = line.split(" ");
    return { address, expected, why: why.join(" ") };
  });

const rule = (address: string) => {
  const verdict = judgeAddress(address);
  return verdict.allowed ? "-" : verdict.rule;
};

test("the table has more than 150 rows, each of another address", () => {
  expect(rows.length).toBeGreaterThan(150);
  expect(new Set(rows.map(({ address }) => address)).size).toBe(rows.length);
});

describe("[E1] [E3] every form of a denied address is denied; loopback, private and public ones are not", () => {
  for (const { address, expected, why } of rows) {
    test(`${address}: ${expected} (${why})`, () => expect(rule(address)).toBe(expected));
  }
});

test("[E1] the reason names the rule and the form in which the address was hidden", () => {
  expect(judgeAddress("::ffff:169.254.169.254")).toEqual({
    allowed: false,
    rule: "metadata",
    reason:
      "This server does not connect there: the address is a cloud's metadata service, within an IPv4-mapped address.",
  });
});

const octet = fc.integer({ min: 0, max: 255 });
const hex = (high: number, low: number) => (high * 256 + low).toString(16);
const inverted = (byte: number) => byte ^ 0xff;

test("[E1] in every embedded form any IPv4 address is judged as it is alone", () => {
  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), ([a, b, c, d]) => {
      const alone = rule(`${a}.${b}.${c}.${d}`);
      const dotted = `${a}.${b}.${c}.${d}`;
      const groups = `${hex(a, b)}:${hex(c, d)}`;
      const forms = [
        `::ffff:${dotted}`,
        `::ffff:0:${groups}`,
        `64:ff9b::${groups}`,
        `2002:${groups}::1`,
        `2001:0:808:808:0:0:${hex(inverted(a), inverted(b))}:${hex(inverted(c), inverted(d))}`,
        `2001:0:${groups}:0:0:f7f7:f7f7`,
        `2001:db8::5efe:${groups}`,
      ];
      for (const form of forms) expect([form, rule(form)]).toEqual([form, alone]);
    }),
    { numRuns: 2000, seed: 8 },
  );
});
