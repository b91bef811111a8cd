// What a join's packets say: when which step's first packet was sent, in ms after the tap. Reads what the forwarder
// writes (pcap with nanoseconds, raw IPv4); host A is the agent's and the server's, host B the customer's.
import { hostA } from './network.mjs';

/** In the order in which they come in a join; each is [name, which host sends it, what it looks like]. */
const STEPS = [
  ['customer asks the server', 'B', (packet) => packet.kind === 'tcp'],
  ['server answers', 'A', (packet) => packet.kind === 'tcp'],
  ["customer's answer (WebSocket)", 'B', (packet) => packet.kind === 'tcp' && isFrame(packet.payload) && packet.payload.length > 300],
  ["customer's first check (STUN)", 'B', (packet) => packet.kind === 'stun request'],
  ["agent's first check", 'A', (packet) => packet.kind === 'stun request'],
  ['agent confirms', 'A', (packet) => packet.kind === 'stun success'],
  ['customer confirms', 'B', (packet) => packet.kind === 'stun success'],
  ["customer's first DTLS", 'B', (packet) => packet.kind === 'dtls'],
  ["agent's first DTLS", 'A', (packet) => packet.kind === 'dtls'],
  ["agent's last DTLS before media", 'A', (packet) => packet.kind === 'dtls', 'last'],
  ["customer's last DTLS before media", 'B', (packet) => packet.kind === 'dtls', 'last'],
  ["agent's first picture begins", 'A', (packet) => packet.kind === 'video'],
  ["agent's first picture is out", 'A', (packet) => packet.kind === 'video' && packet.marker],
  ["customer's first picture begins", 'B', (packet) => packet.kind === 'video'],
  ["customer's first picture is out", 'B', (packet) => packet.kind === 'video' && packet.marker],
];

export const stepNames = STEPS.map(([name]) => name);

/** { step: ms after the tap, or null where no such packet was sent }. */
export function stepsOf(file, tapped_at) {
  const packets = [...read(file)].filter(({ at }) => at >= tapped_at).map((packet) => ({ ...packet, after: packet.at - tapped_at }));
  // Only a picture makes large RTP packets; the streams that have some are video.
  const streams = new Set(packets.filter(({ kind, payload }) => kind === 'rtp' && payload.length > 500).map((packet) => `${packet.from} ${packet.ssrc}`));
  for (const packet of packets) if (packet.kind === 'rtp' && streams.has(`${packet.from} ${packet.ssrc}`)) packet.kind = 'video';
  const steps = {};
  for (const [name, from, matches, which] of STEPS) {
    const media = packets.find((packet) => packet.from === from && packet.kind === 'video')?.after ?? Infinity;
    const found = packets.filter((packet) => packet.from === from && matches(packet) && (which !== 'last' || packet.after <= media));
    const one = which === 'last' ? found.at(-1) : found[0];
    steps[name] = one ? Math.round(one.after * 10) / 10 : null;
  }
  return steps;
}

function* read(file) {
  if (file.length < 24 || file.readUInt32LE(0) !== 0xa1b23c4d) throw new Error('this is no capture of the forwarder');
  for (let at = 24; at + 16 <= file.length; ) {
    const time = file.readUInt32LE(at) * 1e3 + file.readUInt32LE(at + 4) / 1e6;
    const length = file.readUInt32LE(at + 8);
    const packet = described(file.subarray(at + 16, at + 16 + length), time);
    if (packet) yield packet;
    at += 16 + length;
  }
}

/** An IPv4 packet with something in it, or null. */
function described(ip, at) {
  if (ip.length < 20 || ip[0] >> 4 !== 4) return null;
  const transport = ip.subarray((ip[0] & 15) * 4, ip.readUInt16BE(2));
  const from = ip.subarray(12, 16).join('.') === hostA ? 'A' : 'B';
  if (ip[9] === 6) {
    const payload = transport.subarray((transport[12] >> 4) * 4);
    return payload.length ? { at, from, kind: 'tcp', payload } : null;
  }
  if (ip[9] !== 17) return null;
  const payload = transport.subarray(8);
  return { at, from, payload, ...media(payload) };
}

/** What shares one port. (RFC 7983, section 7; RFC 5761, section 4.) */
function media(payload) {
  const [first, second] = payload;
  if (first <= 3) return { kind: { 0x0001: 'stun request', 0x0101: 'stun success' }[payload.readUInt16BE(0)] ?? 'stun' };
  if (first >= 20 && first <= 63) return { kind: 'dtls' };
  if (first < 128 || first > 191 || payload.length < 12) return { kind: 'other' };
  const type = second & 0x7f;
  if (type >= 64 && type <= 95) return { kind: 'rtcp' };
  return { kind: 'rtp', ssrc: payload.readUInt32BE(8), marker: second >> 7 === 1 };
}

/** A data frame of a WebSocket. (RFC 6455, section 5.2.) */
function isFrame(payload) {
  return (payload[0] & 0x80) !== 0 && [1, 2].includes(payload[0] & 15);
}
