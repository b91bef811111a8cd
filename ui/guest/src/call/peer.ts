/**
 * One peer connection for one `negotiation`. The desk offers sound, faces and a shared screen, in this order; this
 * page answers. Every transceiver is answered `sendrecv` even without a track, so that tracks come and go later
 * without a renegotiation.
 */

import type { IceConfig, Offer } from "../../../shared/wire";

export interface OutgoingTracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
}

export interface PeerListener {
  candidate(candidate: string): void;
  /** The remote tracks are there, though nothing may flow yet. */
  tracks(stream: MediaStream): void;
  state(state: RTCPeerConnectionState): void;
  /** The first sound packet arrived. */
  sound(): void;
}

/** A cap, so that one call never fills a customer's line. */
const MOST_VIDEO_BITS = 2_500_000;

export class Peer {
  readonly negotiation: number;
  /** The agent's sound and face. */
  readonly stream = new MediaStream();
  /** The agent's shared screen; there from the start, though nothing flows before it is shared. */
  readonly screen = new MediaStream();
  /** Kept to be said again when the socket drops before the desk has it. */
  answer: string | null = null;
  /** On which of the room's sockets it was said. */
  saidOn = 0;
  private readonly connection: RTCPeerConnection;
  private readonly early: string[] = [];
  private readonly sent: string[] = [];
  private described = false;
  private tracks: OutgoingTracks;
  /** What its senders have, or are about to have: a swap takes a moment, and is asked for once. */
  private readonly placed: OutgoingTracks = { audio: null, video: null };

  constructor(
    private readonly offer: Offer,
    ice: IceConfig,
    tracks: OutgoingTracks,
    listener: PeerListener,
  ) {
    this.negotiation = offer.negotiation;
    this.tracks = tracks;
    const connection = new RTCPeerConnection({
      iceServers: ice.servers,
      iceTransportPolicy: ice.policy === "relay_only" ? "relay" : "all",
      bundlePolicy: "max-bundle",
    });
    this.connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      const line = candidate?.candidate ?? "";
      this.sent.push(line);
      listener.candidate(line);
    };
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "connected") this.capBitrate();
      listener.state(connection.connectionState);
    };
    connection.ontrack = ({ track, transceiver }) => {
      const pictures = connection.getTransceivers().filter(({ receiver }) => receiver.track.kind === "video");
      (pictures.indexOf(transceiver) > 0 ? this.screen : this.stream).addTrack(track);
      if (track.kind === "audio") {
        track.addEventListener("unmute", () => listener.sound(), { once: true });
      }
      listener.tracks(this.stream);
    };
  }

  get connected(): boolean {
    return this.connection.connectionState === "connected";
  }

  async negotiate(): Promise<string> {
    const { connection } = this;
    await connection.setRemoteDescription({ type: "offer", sdp: this.offer.sdp });
    for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
    await this.send(this.tracks);
    const answer = await connection.createAnswer();
    await connection.setLocalDescription(answer);
    this.described = true;
    for (const line of this.early.splice(0)) this.add(line);
    this.answer = connection.localDescription?.sdp ?? answer.sdp ?? "";
    return this.answer;
  }

  /** Puts these tracks on the wire; `null` sends nothing and keeps the place. */
  async send(tracks: OutgoingTracks): Promise<void> {
    this.tracks = tracks;
    await Promise.all((["audio", "video"] as const).map((kind) => this.place(kind, tracks[kind])));
  }

  private async place(kind: "audio" | "video", track: MediaStreamTrack | null): Promise<void> {
    const transceivers = this.connection.getTransceivers();
    const sender = transceivers.find(({ receiver }) => receiver.track.kind === kind)?.sender;
    if (!sender || this.placed[kind] === track) return;
    this.placed[kind] = track;
    try {
      await sender.replaceTrack(track);
    } catch (error) {
      this.placed[kind] = sender.track;
      throw error;
    }
  }

  addCandidate(line: string): void {
    if (this.described) this.add(line);
    else this.early.push(line);
  }

  /** Candidates found so far, for a desk whose socket or ours dropped in between. */
  candidates(): readonly string[] {
    return this.sent;
  }

  close(): void {
    this.connection.onconnectionstatechange = null;
    this.connection.onicecandidate = null;
    this.connection.ontrack = null;
    this.connection.close();
  }

  private add(line: string): void {
    if (!line) return;
    this.connection.addIceCandidate({ candidate: line, sdpMid: null, sdpMLineIndex: 0 }).catch(() => {
      // One candidate that this browser cannot use is no failure: the others are tried.
    });
  }

  private capBitrate(): void {
    // Connected ahead of the tap no sender has a track yet, and sound that is allowed so much takes it: 510 kbit/s.
    for (const { sender, receiver } of this.connection.getTransceivers()) {
      const parameters = sender.getParameters();
      const encoding = parameters.encodings?.[0];
      if (receiver.track.kind === "audio" || !encoding) continue;
      encoding.maxBitrate = MOST_VIDEO_BITS;
      sender.setParameters(parameters).catch(() => {
        // The browser keeps its own cap.
      });
    }
  }
}
