import { describe, expect, test } from "vitest";
import { judgeUrl } from "./url-policy.ts";

/** URL as a JSON string, expected verdict (a rule, or `-` for allowed), why. */
const ROWS = String.raw`
"http://127.0.0.1:11434/v1" - Ollama
"http://localhost:1234/v1" - LM Studio
"http://[::1]:8080/v1" - loopback
"http://2130706433/v1" - loopback as a number
"http://192.168.1.9:8000/v1" - private
"http://gpu-box.local/v1" - a name
"https://api.openai.com/v1" - a name
"HTTPS://API.OpenAI.com/v1" - upper case
"https://bücher.example/v1" - IDNA
"https://xn--bcher-kva.example/v1" - Punycode
"https://example.com/v1?x=@y" - an @ behind the authority
"https://example.com/@user" - an @ in the path
"https://169.254.169.254.example.com/" - a name that looks like an address
"https://metadatas.google.internal/" - a name beside
"https://notmetadata.goog/" - a name beside
"http://169.254.169.254/" metadata plain
"http://169.254.169.254:80/" metadata its port
"http://169.254.169.254./" metadata trailing dot
"http://169.254.169.254:8441/latest" metadata another port
"http://2852039166/" metadata decimal
"http://2852039166./" metadata decimal, trailing dot
"http://0xa9fea9fe/" metadata hex
"http://0XA9FEA9FE/" metadata hex, upper case
"http://025177524776/" metadata octal
"http://0000025177524776/" metadata octal, more zeros
"http://169.16689662/" metadata two parts
"http://169.254.43518/" metadata three parts
"http://169.254.0xa9fe/" metadata three parts, hex
"http://0xa9.0xfe.0xa9.0xfe/" metadata hex parts
"http://0251.0376.0251.0376/" metadata octal parts
"http://0251.254.0xa9.254/" metadata mixed parts
"http://0xa9.16689662/" metadata mixed short
"http://00000251.000000376.0251.254/" metadata octal, more zeros
"http://１６９.２５４.１６９.２５４/" metadata full-width digits
"http://169。254。169。254/" metadata ideographic full stops
"http://169．254．169．254/" metadata full-width dots
"http://169｡254｡169｡254/" metadata half-width full stops
"http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/" metadata circled digits
"http://０ｘａ９ｆｅａ９ｆｅ/" metadata full-width hex
"http://𝟏𝟔𝟗.𝟐𝟓𝟒.𝟏𝟔𝟗.𝟐𝟓𝟒/" metadata bold digits
"http://%31%36%39.254.169.254/" metadata percent-encoded digits
"http://169%2e254%2e169%2e254/" metadata percent-encoded dots
"http://1\u200b69.254.169.254/" metadata zero-width space
"http://1\u00ad69.254.169.254/" metadata soft hyphen
"http:169.254.169.254/" metadata no slashes
"http:example.com/" malformed no slashes
"http:///169.254.169.254/" metadata three slashes
"http:/169.254.169.254/" metadata one slash
"http:/example.com/" malformed one slash
"http:\\\\169.254.169.254/" metadata backslashes
"http://[::ffff:169.254.169.254]/" metadata mapped
"http://[::ffff:a9fe:a9fe]/" metadata mapped, hex
"http://[0:0:0:0:0:ffff:a9fe:a9fe]/" metadata mapped, in full
"http://[::169.254.169.254]/" metadata compatible
"http://[::ffff:0:169.254.169.254]/" metadata translated
"http://[64:ff9b::169.254.169.254]/" metadata NAT64
"http://[64:ff9b:1::a9fe:a9fe]/" metadata local NAT64
"http://[2002:a9fe:a9fe::]/" metadata 6to4
"http://[2001:0:808:808::5601:5601]/" metadata Teredo
"http://[2001:db8::5efe:a9fe:a9fe]/" metadata ISATAP
"http://[fd00:ec2::254]/" metadata AWS
"http://[FD20:CE::254]/" metadata Google
"http://[fe80::1]/" link-local IPv6
"http://[fe80::1%25eth0]/" malformed a zone
"http://[fe80::1%eth0]/" malformed a zone
"http://169.254.7.7/" link-local IPv4
"http://0251.254.7.7/" link-local octal
"http://100.100.100.200/" metadata Alibaba
"http://1684301000/" metadata Alibaba, decimal
"http://0x64.0x64.0x64.0xc8/" metadata Alibaba, hex
"http://168.63.129.16/" metadata Azure
"http://192.0.0.192/" metadata Oracle
"http://192.192/" metadata Oracle in two parts
"http://192.0.192/" metadata Oracle in three parts
"http://169.254.170.2/v2/credentials" metadata ECS
"http://0/" unspecified zero
"http://0x/" unspecified empty hex
"http://00.00/" unspecified short
"http://0.0.0.0:8441/" unspecified dotted
"http://0.1.2.3/" unspecified range
"http://[::]/" unspecified IPv6
"http://[::ffff:0:0]/" unspecified mapped
"http://224.0.0.1/" multicast IPv4
"http://[ff02::1]/" multicast IPv6
"http://255.255.255.255/" reserved broadcast
"http://4294967295/" reserved broadcast, decimal
"http://240.0.0.1/" reserved range
"http://4294967296/" malformed beyond 32 bits
"http://1.2.3.4.5/" malformed five parts
"http://1.2.3.08/" malformed no octal digit
"http://256.0.0.1/" malformed beyond a byte
"http://foo.0xa9fe/" malformed ends in a number
"http://metadata.google.internal/computeMetadata/v1/" metadata name
"http://metadata.google.internal./" metadata name, trailing dot
"http://METADATA.Google.Internal/" metadata name, upper case
"http://metadata。google。internal/" metadata name, ideographic stops
"http://ｍｅｔａｄａｔａ.google.internal/" metadata name, full width
"http://metadata%2egoogle%2einternal/" metadata name, percent-encoded
"http://meta\u200bdata.google.internal/" metadata name, zero-width space
"http://x.metadata.google.internal/" metadata below the name
"http://metadata/" metadata short name
"http://metadata.goog/" metadata name
"http://instance-data/latest" metadata AWS's name
"http://instance-data.ec2.internal/" metadata AWS's name
"http://user@example.com/" user-info user
"http://user:secret@example.com/" user-info user and password
"http://:secret@example.com/" user-info password
"http://@example.com/" user-info empty
"http://:@example.com/" user-info empty
"http://example.com@169.254.169.254/" user-info hides the host
"http://169.254.169.254@example.com/" user-info looks like a host
"http://example.com\\@169.254.169.254/" malformed backslash
"http://exam\tple.com/" malformed tab
"http://exam\nple.com/" malformed line feed
" http://example.com/" malformed leading space
"http://example.com/ " malformed trailing space
"http://example.com/a\u0000" malformed NUL
"http://exa mple.com/" malformed space
"ftp://example.com/" scheme ftp
"file:///etc/passwd" scheme file
"gopher://127.0.0.1:6379/_x" scheme gopher
"data:text/plain,hi" scheme data
"ws://127.0.0.1/" scheme ws
"javascript:alert(1)" scheme javascript
"unix:///run/docker.sock" scheme unix
"http+unix://%2Frun%2Fdocker.sock/" scheme unix
"127.0.0.1:80" malformed no scheme
"//127.0.0.1/" malformed no scheme
"localhost:80" scheme reads as a scheme
"http://" malformed no host
"http://xn--/" malformed no Punycode
"http://a.xn--0.example/" malformed no Punycode
"http://./" malformed dots only
"" malformed empty
`;

const rows = ROWS.trim()
  .split("\n")
  .map((line) => {
    const [, quoted = "", expected = "", why = ""] = /^("(?:[^"\\]|\\.)*") (\S+) (.*)$/.exec(line) ?? [];
    return { url: String(JSON.parse(quoted)), expected, why };
  });

describe("[E1] [E2] [E3] every spelling of a URL is judged by where it leads", () => {
  for (const { url, expected, why } of rows) {
    test(`${JSON.stringify(url)}: ${expected} (${why})`, () => {
      const verdict = judgeUrl(url);
      expect(verdict.allowed ? "-" : verdict.rule).toBe(expected);
    });
  }
});

test("[E2] a parsed URL is judged as its text is", () => {
  for (const { url, expected } of rows) {
    const parsed = URL.parse(url);
    if (parsed === null || expected === "malformed" || url.includes("@")) continue;
    const verdict = judgeUrl(parsed);
    expect([url, verdict.allowed ? "-" : verdict.rule]).toEqual([url, expected]);
  }
});
