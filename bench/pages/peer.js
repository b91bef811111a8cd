// A plain peer-to-peer call, as good as a page can be with what a browser offers.
//
// ?role=agent     opens devices, leaves an offer with all candidates in the room, and waits.
// ?role=customer  connects its socket and waits for the tap; then asks for the offer and for the devices at once.
//                 With &warm=1 ICE and DTLS are done before the tap, which only starts media; with &preview=1 the
//                 customer sees herself before the tap, so that her devices are open.
import { diary, showOwn, showRemote, socketTo, tap, wanted } from './common.js';

const query = new URLSearchParams(location.search);
const role = query.get('role');
const warm = query.has('warm');
const preview = query.has('preview');
const url = `ws://${location.host}/?room=${query.get('room')}`;
const say = (socket, message) => socket.send(JSON.stringify(message));
/** The same cap as the product's, so that sizes of the two can be compared. */
const mostVideoBits = 2_500_000;

function connect(socket) {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  connection.ontrack = ({ track }) => showRemote(track);
  connection.onconnectionstatechange = () => {
    if (connection.connectionState !== 'connected') return;
    diary.connected_at = performance.timeOrigin + performance.now();
    for (const sender of connection.getSenders()) {
      const parameters = sender.getParameters();
      if (sender.track?.kind !== 'video' || !parameters.encodings?.[0]) continue;
      parameters.encodings[0].maxBitrate = mostVideoBits;
      void sender.setParameters(parameters);
    }
  };
  connection.onicecandidate = ({ candidate }) => candidate && say(socket, { type: 'candidate', candidate });
  return connection;
}

async function devices() {
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  showOwn(stream);
  return stream;
}

/** Candidates may come before the description they belong to. */
function candidates(connection) {
  const early = [];
  return {
    add: (candidate) => (connection.remoteDescription ? connection.addIceCandidate(candidate) : early.push(candidate)),
    described: () => early.splice(0).forEach((candidate) => connection.addIceCandidate(candidate)),
  };
}

function startSending(connection, stream) {
  const started = connection.getTransceivers().map(({ sender, receiver }) =>
    sender.replaceTrack(stream.getTracks().find(({ kind }) => kind === receiver.track.kind)),
  );
  return Promise.all(started);
}

async function agent() {
  const socket = await socketTo(url);
  const connection = connect(socket);
  const stream = await devices();
  if (warm) for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'sendrecv' });
  else for (const track of stream.getTracks()) connection.addTrack(track, stream);
  const theirs = candidates(connection);
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'candidate') return theirs.add(message.candidate);
    if (message.type === 'go') return startSending(connection, stream);
    await connection.setRemoteDescription(message);
    theirs.described();
  };
  const gathered = new Promise((resolve) => {
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
  });
  await connection.setLocalDescription();
  await gathered;
  const { sdp } = connection.localDescription;
  say(socket, { type: 'offer', sdp });
  document.querySelector('#join').remove();
  diary.ready = true;
}

async function customer() {
  const socket = await socketTo(url);
  const connection = connect(socket);
  const theirs = candidates(connection);
  const offered = new Promise((resolve) => {
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'candidate') return theirs.add(message.candidate);
      resolve(message);
    };
  });
  const answer = async () => {
    await connection.setLocalDescription();
    say(socket, { type: 'answer', sdp: connection.localDescription.sdp });
  };
  if (warm) {
    say(socket, { type: 'join' });
    await connection.setRemoteDescription(await offered);
    for (const transceiver of connection.getTransceivers()) transceiver.direction = 'sendrecv';
    await answer();
    await new Promise((resolve) => {
      const check = () => connection.connectionState === 'connected' && resolve();
      connection.addEventListener('connectionstatechange', check);
      check();
    });
    const previewed = preview && (await devices());
    await tap();
    say(socket, { type: 'go' });
    return startSending(connection, previewed || (await devices()));
  }
  await tap();
  say(socket, { type: 'join' });
  const ready = devices();
  await connection.setRemoteDescription(await offered);
  theirs.described();
  const stream = await ready;
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  await answer();
}

await (role === 'agent' ? agent() : customer());
