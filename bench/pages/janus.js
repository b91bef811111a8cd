// A two-way call through Janus' VideoRoom plugin, over its plain WebSocket interface.
//
// Each side publishes its own devices on one connection and subscribes to the other's on a second, as the plugin
// wants it. The agent is in the room and publishes before the customer's tap. The customer's socket, session and
// handles are there before the tap; joining and publishing are one request.
import { diary, showOwn, showRemote, socketTo, tap, wanted } from './common.js';

const query = new URLSearchParams(location.search);
const room = Number(query.get('room'));

class Session {
  constructor(socket) {
    this.socket = socket;
    this.waiting = new Map();
    this.handles = new Map();
    this.count = 0;
    socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
  }

  static async open() {
    const session = new Session(await socketTo(query.get('server'), 'janus-protocol'));
    session.id = (await session.ask({ janus: 'create' })).data.id;
    return session;
  }

  /** Resolves with the answer; of a plugin's message that is the event after the acknowledgement. */
  ask(message) {
    const transaction = `t${++this.count}`;
    this.socket.send(JSON.stringify({ transaction, ...(this.id ? { session_id: this.id } : {}), ...message }));
    return new Promise((resolve, reject) => this.waiting.set(transaction, { resolve, reject }));
  }

  async attach() {
    const { data } = await this.ask({ janus: 'attach', plugin: 'janus.plugin.videoroom' });
    const handle = { id: data.id, event: () => {} };
    handle.ask = (body, jsep) => this.ask({ janus: 'message', handle_id: handle.id, body, ...(jsep ? { jsep } : {}) });
    handle.trickle = (candidate) => this.ask({ janus: 'trickle', handle_id: handle.id, candidate: candidate ?? { completed: true } });
    this.handles.set(handle.id, handle);
    return handle;
  }

  receive(message) {
    const asked = this.waiting.get(message.transaction);
    const problem = message.janus === 'error' ? message.error.reason : message.plugindata?.data.error;
    if (asked) {
      if (message.janus === 'ack' && message.hint === undefined && message.plugindata === undefined) {
        // A trickle is only acknowledged; whatever else is answered by an event of the same transaction.
        return;
      }
      this.waiting.delete(message.transaction);
      return problem ? asked.reject(new Error(problem)) : asked.resolve(message);
    }
    if (message.janus === 'event') this.handles.get(message.sender)?.event(message.plugindata.data);
  }
}

function connection(handle) {
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  peer.onicecandidate = ({ candidate }) => void handle.trickle(candidate);
  return peer;
}

/** Joins the room and publishes, in one request; resolves with who else publishes. */
async function publish(handle) {
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  showOwn(stream);
  const peer = connection(handle);
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
  await peer.setLocalDescription();
  const { type, sdp } = peer.localDescription;
  const answer = await handle.ask({ request: 'joinandconfigure', ptype: 'publisher', room }, { type, sdp });
  void peer.setRemoteDescription(answer.jsep);
  return answer.plugindata.data.publishers ?? [];
}

async function subscribe(handle, publisher) {
  const peer = connection(handle);
  peer.ontrack = ({ track }) => showRemote(track);
  const { jsep } = await handle.ask({ request: 'join', ptype: 'subscriber', room, streams: [{ feed: publisher.id }] });
  await peer.setRemoteDescription(jsep);
  await peer.setLocalDescription();
  const { type, sdp } = peer.localDescription;
  await handle.ask({ request: 'start' }, { type, sdp });
}

const session = await Session.open();
const [sending, receiving] = [await session.attach(), await session.attach()];
let subscribed = false;
const meet = ([publisher]) => {
  if (!publisher || subscribed) return;
  subscribed = true;
  return subscribe(receiving, publisher);
};
sending.event = ({ publishers = [] }) => void meet(publishers);
if (query.get('role') === 'customer') await tap();
else document.querySelector('#join').remove();
await meet(await publish(sending));
diary.ready = true;
