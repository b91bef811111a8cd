/**
 * One call from the tap on Join to its end: redeems the invite, answers the desk's offer, keeps signalling and
 * media going, and says at every moment where it stands.
 */

import type {
  EndReason, MediaState, Offer, Presence, Problem, Redeemed, RoomEvent,
} from "../../../shared/wire";
import { Failure, OFFLINE, invites } from "../api";
import { figures, note, setPhase } from "../diagnostics";
import type { Wish } from "./devices";
import { watchFrames } from "./frames";
import { LocalMedia } from "./local-media";
import { Peer } from "./peer";
import { RoomClient, roomUrl } from "./room-client";
import { seat } from "./seat";

export type CallState =
  | { type: "joining" }
  /** In the room; the desk has not offered yet. */
  | { type: "waiting"; overdue: boolean }
  | { type: "connecting"; overdue: boolean }
  | { type: "live"; since: number }
  /** `null`: it was over before we could ask why. */
  | { type: "ended"; reason: EndReason | null }
  | { type: "problem"; problem: Problem };

/** Then waiting becomes words. */
const DEADLINE_MS = 15_000;
/** A failed connection waits this long for the desk's own new offer before asking for one. */
const RENEW_MS = 3_000;
/** Sound without a picture counts as a call after this long. */
const SOUND_ONLY_MS = 3_000;

export class Call {
  state: CallState = { type: "joining" };
  agent: string;
  company: string;
  other: Presence = { place: "absent" };
  /** Unknown until the desk has said it once. */
  otherMedia: MediaState | null = null;
  signallingLost = false;
  mediaLost = false;
  /** No new frame for a while, though the connection may stand. */
  still = false;
  /** The browser wants one more tap before it plays sound. */
  playBlocked = false;
  readonly media: LocalMedia;

  private redeemed: Redeemed | null = null;
  private peer: Peer | null = null;
  /** A newer connection that is not there yet, while the old one still shows its picture. */
  private incoming: Peer | null = null;
  private highest = -1;
  private session: number | null = null;
  private flowingSaid = -1;
  private deadline: number | undefined;
  private renewal: number | undefined;
  private soundOnly: number | undefined;
  private nothing: number | undefined;
  private stopWatching: () => void = () => {};
  private readonly room: RoomClient;

  constructor(
    private readonly code: string,
    who: { agent: string; company: string },
    media: LocalMedia,
    private readonly video: HTMLVideoElement,
    private readonly changed: (call: Call) => void,
  ) {
    this.agent = who.agent;
    this.company = who.company;
    this.media = media;
    this.room = new RoomClient(roomUrl(), {
      event: (event) => this.receive(event),
      lost: () => {
        this.signallingLost = true;
        this.changed(this);
      },
      refused: (problem) => this.refused(problem),
    });
  }

  /** The tap: redeem, socket, camera and answer all start at once. */
  async join(wish: Wish): Promise<void> {
    setPhase("joining");
    this.room.open();
    void this.media.start(wish);
    try {
      await this.redeem();
    } catch (error) {
      this.fail(error instanceof Failure ? error.problem : OFFLINE);
    }
  }

  mediaChanged(): void {
    const tracks = this.media.outgoing;
    for (const peer of [this.peer, this.incoming]) {
      peer?.send(tracks).catch(() => note({ code: "media_failed" }, "replaceTrack"));
    }
    this.room.send({ type: "media", ...this.media.state });
    this.changed(this);
  }

  play(): void {
    this.video.play().then(
      () => this.blocked(false),
      (error: unknown) => this.blocked(error instanceof DOMException && error.name === "NotAllowedError"),
    );
  }

  /** Asks the desk for a new offer. */
  tryAgain(): void {
    this.waitFor("waiting");
    this.room.renew();
  }

  leave(): void {
    this.room.send({ type: "leave" });
    this.end("customer_left");
  }

  /** Leaves no trace running, whatever the state. */
  dispose(): void {
    window.clearTimeout(this.deadline);
    window.clearTimeout(this.renewal);
    window.clearTimeout(this.soundOnly);
    window.clearTimeout(this.nothing);
    this.stopWatching();
    this.room.close();
    this.peer?.close();
    this.incoming?.close();
    this.peer = this.incoming = null;
    this.media.stop();
  }

  private async redeem(): Promise<void> {
    const redeemed = await invites.redeem(this.code);
    if (this.state.type === "ended" || this.state.type === "problem") return;
    this.redeemed = redeemed;
    this.agent = redeemed.agent_name;
    this.company = redeemed.company;
    seat.write({
      code: this.code,
      room: redeemed.room,
      token: redeemed.room_token,
      agent: redeemed.agent_name,
      company: redeemed.company,
    });
    this.waitFor("waiting");
    this.room.join(redeemed.room_token);
    if (redeemed.offer) this.accept(redeemed.offer);
  }

  private receive(event: RoomEvent): void {
    switch (event.type) {
      case "welcome":
        this.signallingLost = false;
        this.meet(event.other);
        this.hear(event.other_media);
        this.room.send({ type: "media", ...this.media.state });
        if (event.offer) this.accept(event.offer);
        this.repeat();
        break;
      case "presence":
        this.meet(event);
        break;
      case "offer":
        this.accept({ negotiation: event.negotiation, sdp: event.sdp });
        break;
      case "candidate":
        for (const peer of [this.peer, this.incoming]) {
          if (peer?.negotiation === event.negotiation) peer.addCandidate(event.candidate);
        }
        break;
      case "media":
        this.otherMedia = { microphone: event.microphone, camera: event.camera, screen: event.screen };
        break;
      case "ended":
        this.end(event.reason);
        return;
      case "problem":
        note(event, "room");
        break;
      case "ice":
        if (this.redeemed) {
          this.redeemed.ice_servers = event.servers;
          this.redeemed.ice_policy = event.policy;
        }
        break;
      case "answer":
      case "heartbeat":
        break;
    }
    this.changed(this);
  }

  private meet(other: Presence): void {
    this.other = other;
    if (other.place !== "here") return;
    // A desk that started again counts its offers from the beginning.
    if (this.session !== null && this.session !== other.session) this.highest = -1;
    this.session = other.session;
  }

  private accept(offer: Offer): void {
    if (offer.negotiation <= this.highest || !this.redeemed) return;
    this.highest = offer.negotiation;
    window.clearTimeout(this.renewal);
    this.incoming?.close();
    const peer: Peer = new Peer(offer, { servers: this.redeemed.ice_servers, policy: this.redeemed.ice_policy }, this.media.outgoing, {
      candidate: (candidate) => this.room.send({ type: "candidate", negotiation: offer.negotiation, candidate }),
      tracks: () => {
        if (this.peer === peer) this.show(peer);
      },
      state: (state) => this.peerState(peer, state),
      sound: () => this.heardSound(peer),
    });
    // The old picture stays, moving or still, until the new connection is up.
    if (this.peer && (this.peer.connected || this.state.type === "live")) this.incoming = peer;
    else {
      this.peer?.close();
      this.incoming = null;
      this.peer = peer;
    }
    if (this.state.type !== "live") this.waitFor("connecting");
    peer
      .negotiate()
      .then((sdp) => {
        this.room.send({ type: "answer", negotiation: offer.negotiation, sdp });
        // Tracks that came while the answer was made.
        return peer.send(this.media.outgoing);
      })
      .catch((error: unknown) => {
        note({ code: "media_failed" }, String(error));
        if (this.peer === peer && this.state.type !== "live") {
          this.fail({
            code: "media_failed",
            message: "This browser could not start the call.",
            next_step: "Update the browser or open the link in another one. The chat keeps working.",
          });
        }
      });
  }

  /** After a dropped socket: what the desk may have missed. */
  private repeat(): void {
    const peer = this.incoming ?? this.peer;
    if (!peer?.answer) return;
    const { negotiation } = peer;
    if (!peer.connected) {
      this.room.send({ type: "answer", negotiation, sdp: peer.answer });
      for (const candidate of peer.candidates()) this.room.send({ type: "candidate", negotiation, candidate });
    }
    if (this.flowingSaid === negotiation) this.room.send({ type: "media_flowing" });
  }

  private peerState(peer: Peer, state: RTCPeerConnectionState): void {
    if (peer === this.incoming) {
      if (state !== "connected") return;
      window.clearTimeout(this.renewal);
      this.peer?.close();
      this.peer = peer;
      this.incoming = null;
      this.mediaLost = false;
      this.show(peer);
    } else if (peer === this.peer) {
      this.mediaLost = state === "disconnected" || state === "failed";
      if (state === "failed") {
        note({ code: "media_failed" }, "ice");
        window.clearTimeout(this.renewal);
        this.renewal = window.setTimeout(() => this.room.renew(), RENEW_MS);
      }
      if (state === "connected") {
        window.clearTimeout(this.renewal);
        this.expectNothing(peer);
      }
    }
    this.changed(this);
  }

  private show(peer: Peer): void {
    if (this.video.srcObject === peer.stream) return;
    this.stopWatching();
    this.stopWatching = watchFrames(this.video, {
      first: () => this.flowing(peer),
      stalled: (still) => {
        this.still = still;
        this.changed(this);
      },
    });
    this.still = false;
    this.video.srcObject = peer.stream;
    this.play();
  }

  private blocked(blocked: boolean): void {
    if (this.playBlocked === blocked) return;
    this.playBlocked = blocked;
    this.changed(this);
  }

  private heardSound(peer: Peer): void {
    if (peer !== this.peer) return;
    const picture = this.otherMedia === null || this.otherMedia.camera || this.otherMedia.screen;
    if (!picture) return this.flowing(peer);
    window.clearTimeout(this.soundOnly);
    this.soundOnly = window.setTimeout(() => this.flowing(peer), SOUND_ONLY_MS);
  }

  /** An agent without camera and microphone sends nothing that could arrive; the call is on all the same. */
  private expectNothing(peer: Peer): void {
    window.clearTimeout(this.nothing);
    this.nothing = window.setTimeout(() => {
      const { otherMedia } = this;
      if (!otherMedia?.camera && !otherMedia?.screen && !otherMedia?.microphone) this.flowing(peer);
    }, SOUND_ONLY_MS);
  }

  private flowing(peer: Peer): void {
    if (peer !== this.peer) return;
    window.clearTimeout(this.deadline);
    window.clearTimeout(this.soundOnly);
    if (this.flowingSaid !== peer.negotiation) {
      this.flowingSaid = peer.negotiation;
      this.room.send({ type: "media_flowing" });
    }
    if (this.state.type !== "live") this.become({ type: "live", since: Date.now() });
    else this.changed(this);
  }

  private hear(media: MediaState): void {
    if (media.camera || media.microphone || media.screen) this.otherMedia = media;
  }

  private waitFor(type: "waiting" | "connecting"): void {
    window.clearTimeout(this.deadline);
    this.become({ type, overdue: false });
    this.deadline = window.setTimeout(() => {
      if (this.state.type !== "waiting" && this.state.type !== "connecting") return;
      note({ code: "media_timeout" }, this.state.type);
      this.become({ type: this.state.type, overdue: true });
    }, DEADLINE_MS);
  }

  private refused(problem: Problem): void {
    note(problem, "room");
    if (problem.code === "room_ended") return this.end(null);
    this.fail(problem);
  }

  private end(reason: EndReason | null): void {
    this.dispose();
    this.become({ type: "ended", reason });
  }

  private fail(problem: Problem): void {
    note(problem);
    this.dispose();
    if (problem.code === "room_ended") this.become({ type: "ended", reason: null });
    else this.become({ type: "problem", problem });
  }

  private become(state: CallState): void {
    this.state = state;
    setPhase(state.type);
    this.changed(this);
  }
}

export function accepted(event: Event): void {
  figures.accept_at = performance.timeOrigin + event.timeStamp;
  figures.first_frame_at = null;
}
