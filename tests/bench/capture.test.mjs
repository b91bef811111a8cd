// What the benchmark reads out of packets, from a capture whose packets are made here.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { stepsOf } from '../../bench/lib/capture.mjs';

const A = [10, 77, 0, 1];
const B = [10, 77, 0, 2];

/** One packet: raw IPv4 with UDP (17) or TCP (6) inside, sent so many ms after the tap. */
function packet(at_ms, from, protocol, payload) {
  const head = Buffer.alloc(protocol === 6 ? 20 : 8);
  if (protocol === 6) head[12] = 5 << 4;
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip[9] = protocol;
  ip.writeUInt16BE(20 + head.length + payload.length, 2);
  Buffer.from([...from, ...(from === A ? B : A)]).copy(ip, 12);
  const bytes = Buffer.concat([ip, head, payload]);
  const record = Buffer.alloc(16);
  record.writeUInt32LE(1000 + Math.floor(at_ms / 1000), 0);
  record.writeUInt32LE(Math.round((at_ms % 1000) * 1e6), 4);
  record.writeUInt32LE(bytes.length, 8);
  record.writeUInt32LE(bytes.length, 12);
  return Buffer.concat([record, bytes]);
}

const header = Buffer.alloc(24);
header.writeUInt32LE(0xa1b23c4d, 0);
const rtp = (size, marker, ssrc) => {
  const bytes = Buffer.alloc(size);
  bytes[0] = 0x80;
  bytes[1] = 96 | (marker ? 0x80 : 0);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
};
const text = (words) => Buffer.from(words);
const frame = Buffer.concat([Buffer.from([0x81, 0xfe]), Buffer.alloc(400)]);

test('steps are the first packets of their kind after the tap, in either direction', () => {
  const file = Buffer.concat([
    header,
    packet(0, B, 6, text('GET / HTTP/1.1')),
    packet(110, B, 6, text('POST /redeem')),
    packet(160, A, 6, text('HTTP/1.1 200 OK')),
    packet(210, B, 6, frame),
    packet(220, B, 17, Buffer.from([0, 1, 0, 0])),
    packet(270, A, 17, Buffer.from([1, 1, 0, 0])),
    packet(300, B, 17, Buffer.from([22, 254, 253])),
    packet(350, A, 17, Buffer.from([22, 254, 253])),
    packet(400, B, 17, Buffer.from([0x2f, 1])),
    // Sound comes first and is no picture; control packets are neither.
    packet(410, A, 17, rtp(120, true, 1)),
    packet(411, A, 17, Buffer.from([0x80, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    packet(450, A, 17, rtp(1100, false, 2)),
    packet(451, A, 17, rtp(80, true, 2)),
    packet(460, A, 17, Buffer.from([21, 254, 253])),
  ]);
  const steps = stepsOf(file, 1000 * 1000 + 100);
  assert.equal(steps['customer asks the server'], 10);
  assert.equal(steps['server answers'], 60);
  assert.equal(steps["customer's answer (WebSocket)"], 110);
  assert.equal(steps["customer's first check (STUN)"], 120);
  assert.equal(steps["agent's first check"], null);
  assert.equal(steps['agent confirms'], 170);
  assert.equal(steps["customer's first DTLS"], 200);
  assert.equal(steps["customer's last DTLS before media"], 300);
  assert.equal(steps["agent's last DTLS before media"], 250, 'what comes after the picture does not count');
  assert.equal(steps["agent's first picture begins"], 350);
  assert.equal(steps["agent's first picture is out"], 351);
  assert.equal(steps["customer's first picture begins"], null);
});

test('something else is no capture', () => {
  assert.throws(() => stepsOf(Buffer.alloc(40), 0), /no capture/);
});
