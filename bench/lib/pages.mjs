// Serves bench/pages on host A, and one room in which the two sides of the plain peer-to-peer page find each other:
// the same kind of WebSocket, on the same host, as the product's own.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { repository } from '../../tests/lib/paths.mjs';
import { hostA } from './network.mjs';

const { WebSocketServer } = createRequire(join(repository, 'tests', 'package.json'))('ws');
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

export async function servePages() {
  const server = createServer((request, response) => {
    const name = new URL(request.url, 'http://x').pathname.slice(1);
    if (!/^[a-z-]+\.(html|js)$/.test(name)) return response.writeHead(404).end();
    const file = createReadStream(join(repository, 'bench', 'pages', name));
    file.on('error', () => response.writeHead(404).end());
    file.on('open', () => file.pipe(response.writeHead(200, { 'content-type': types[extname(name)] })));
  });
  const rooms = new Map();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket, request) => {
    socket._socket.setNoDelay(true);
    const name = new URL(request.url, 'http://x').searchParams.get('room');
    const room = rooms.get(name) ?? { offer: null, members: new Set() };
    rooms.set(name, room);
    room.members.add(socket);
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      // The offer waits in the room; everything else is passed on.
      if (message.type === 'offer') room.offer = message;
      else if (message.type === 'join') room.offer && socket.send(JSON.stringify(room.offer));
      else for (const other of room.members) if (other !== socket) other.send(JSON.stringify(message));
    });
    socket.on('close', () => {
      room.members.delete(socket);
      if (!room.members.size) rooms.delete(name);
    });
  });
  await new Promise((resolve) => server.listen(0, hostA, resolve));
  const { port } = server.address();
  return {
    port,
    url: `http://${hostA}:${port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
