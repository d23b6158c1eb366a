import type { Answers, HeardPacket } from "./link-socket.ts";

/** RFC 6762, 10: records that name a host. For all, so that what is gone is soon forgotten. */
const TTL_SECONDS = 120;

/** A service at one link (RFC 6763). */
export interface Service {
  /** As `_http._tcp`. */
  readonly type: string;
  /** A label without a dot, as a person reads it. */
  readonly instance: string;
  /** A label; the host is `HOST.local`. */
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly txt: readonly string[];
}

/** Everything that is told of a service; with `gone` so that it is forgotten (RFC 6762, 10.1). */
export function recordsOf(service: Service, { gone = false } = {}): Answers {
  const ttl = gone ? 0 : TTL_SECONDS;
  const { type, instance, host } = namesOf(service);
  return [
    { type: "PTR", name: type, ttl, data: instance },
    { type: "SRV", name: instance, ttl, data: { port: service.port, target: host } },
    { type: "TXT", name: instance, ttl, data: [...service.txt] },
    ...service.addresses.map((address) => ({
      type: address.includes(":") ? ("AAAA" as const) : ("A" as const),
      name: host,
      ttl,
      data: address,
    })),
  ];
}

/** Whether a question is about this service, and who asks does not know the answer yet (RFC 6762, 7.1). */
export function isAsked(service: Service, packet: HeardPacket): boolean {
  const { type, instance, host } = namesOf(service);
  const about = new Map([
    [lower(type), ["PTR"]],
    [lower(instance), ["SRV", "TXT"]],
    [lower(host), ["A", "AAAA"]],
  ]);
  const { questions = [], answers = [] } = packet;
  const isKnown = answers.some(
    (answer) =>
      answer.type === "PTR" && lower(answer.data) === lower(instance) && (answer.ttl ?? 0) >= TTL_SECONDS / 2,
  );
  return questions.some((question) => {
    if (question.type === "PTR" && isKnown) return false;
    const types = about.get(lower(question.name)) ?? [];
    return types.length > 0 && [...types, "ANY"].includes(question.type);
  });
}

/** The name of all services of a type. */
export function typeName(type: string): string {
  return `${type}.local`;
}

function namesOf(service: Service): { type: string; instance: string; host: string } {
  const type = typeName(service.type);
  return { type, instance: `${service.instance}.${type}`, host: `${service.host}.local` };
}

function lower(name: string): string {
  return name.toLowerCase();
}
