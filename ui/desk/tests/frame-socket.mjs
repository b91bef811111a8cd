// A frame socket as the desk opens it: checks the token, sends I420 frames, and waits for each to be drawn.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const TILES = [0, 1];

/** Colours in Y, U, V (BT.601, limited range): the customer red, the agent blue. */
const COLOURS = [
  [81, 90, 240],
  [41, 240, 110],
];

export async function frameSocket({ width = 64, height = 36 } = {}) {
  const seen = { token: null, drawn: [0, 0] };
  const sockets = new Set();
  const server = createServer();
  server.on("upgrade", (request, socket) => {
    const key = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on("error", () => {});
    let buffer = Buffer.alloc(0);
    socket.on("data", (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (let text = take(); text !== null; text = take()) hear(JSON.parse(text));
    });

    /** One masked text frame under 126 bytes, or null. */
    function take() {
      if (buffer.length < 6) return null;
      const length = buffer[1] & 0x7f;
      if (buffer.length < 6 + length) return null;
      const opcode = buffer[0] & 0x0f;
      const mask = buffer.subarray(2, 6);
      const text = Buffer.from(buffer.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]));
      buffer = buffer.subarray(6 + length);
      if (opcode !== 1) {
        socket.end();
        return null;
      }
      return text.toString();
    }

    function hear(message) {
      if (message.token !== undefined) {
        seen.token = message.token;
        for (const tile of TILES) socket.write(binary(frame(tile, width, height)));
        return;
      }
      seen.drawn[message.drawn] += 1;
      // The next one only now: this is the credit.
      if (seen.drawn[message.drawn] < 30) socket.write(binary(frame(message.drawn, width, height)));
      else if (seen.drawn[message.drawn] === 30 && message.drawn === 1) socket.write(binary(frame(1, 0, 0)));
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    seen,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function frame(tile, width, height) {
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  const data = Buffer.alloc(16 + width * height + 2 * chroma);
  data.writeUInt8(1, 0);
  data.writeUInt8(tile, 1);
  data.writeUInt16LE(width, 2);
  data.writeUInt16LE(height, 4);
  data.writeBigUInt64LE(BigInt(Date.now()), 8);
  const [y, u, v] = COLOURS[tile];
  data.fill(y, 16, 16 + width * height);
  data.fill(u, 16 + width * height, 16 + width * height + chroma);
  data.fill(v, 16 + width * height + chroma);
  return data;
}

function binary(data) {
  const head = Buffer.alloc(data.length < 126 ? 2 : 4);
  head[0] = 0x82;
  if (data.length < 126) head[1] = data.length;
  else {
    head[1] = 126;
    head.writeUInt16BE(data.length, 2);
  }
  return Buffer.concat([head, data]);
}
