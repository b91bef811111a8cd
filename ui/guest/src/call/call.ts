/**
 * One call to its end: redeems the invite, answers the desk's offer, keeps signalling and media going, and says at
 * every moment where it stands.
 *
 * It may be warm ahead of the tap on Join: the connection is made while the invitation is read, and nothing is
 * captured, sent or played. The tap then goes over the open socket, and the tracks into the waiting connection.
 * Whatever is missing at that moment is done the cold way, over HTTP.
 */

import type { Attempt, EndReason, IceConfig, MediaState, Offer, Presence, Problem, RoomEvent, Sound } from "../../../shared/wire";
import { Failure, OFFLINE, invites } from "../api";
import { Backoff } from "../backoff";
import { figures, note, setPhase } from "../diagnostics";
import type { Wish } from "./devices";
import { watchFrames } from "./frames";
import { LocalMedia } from "./local-media";
import { Peer } from "./peer";
import { RelayCheck } from "./relay-check";
import { RoomClient, roomUrl } from "./room-client";
import { seat } from "./seat";

export type CallState =
  /** Ahead of the tap, connected or not. */
  | { type: "ready" }
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
/** The room answers a tap within this time, or it is made again over HTTP. */
const JOIN_MS = 3_000;

export class Call {
  state: CallState = { type: "ready" };
  agent = "";
  company = "";
  /** Where both sides hear each other. */
  sound: Sound = "call";
  /** The call was handed to this agent, whose picture has not come yet. */
  takingOver = false;
  other: Presence = { place: "absent" };
  /** What the desk is trying, to get picture and sound through. */
  trying: Attempt = "direct";
  /** Unknown until the desk has said it once. */
  otherMedia: MediaState | null = null;
  signallingLost = false;
  mediaLost = false;
  /** No new frame for a while, though the connection may stand. */
  still = false;
  /** The browser wants one more tap before it plays sound. */
  playBlocked = false;
  readonly media: LocalMedia;
  /** What the network lets through, ahead of the tap. */
  readonly network = new RelayCheck(() => this.changed(this));

  /** The newest servers and policy, for the next peer connection. */
  private ice: IceConfig | null = null;
  /** The room's token, and whether it is a full one. */
  private token: string | null = null;
  private roomId: string | null = null;
  private seated = false;
  /** Counts the attempts to be warm: an answer to an older one comes too late. */
  private attempt = 0;
  private warming: number | undefined;
  private joining: number | undefined;
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
  /** Whose frames are watched. */
  private shown: Peer | null = null;
  private room: RoomClient;

  constructor(
    private readonly code: string,
    media: LocalMedia,
    private readonly video: HTMLVideoElement,
    private readonly changed: (call: Call) => void,
  ) {
    this.media = media;
    this.room = this.newRoom();
  }

  /** Connects ahead of the tap. What does not work out is done at the tap. */
  async warm(): Promise<void> {
    if (this.tapped) return;
    const attempt = ++this.attempt;
    const current = () => attempt === this.attempt && !this.tapped;
    const backoff = new Backoff();
    this.room.open();
    for (;;) {
      try {
        const warmed = await invites.warm(this.code);
        if (!current()) return;
        this.ice = { servers: warmed.ice_servers, policy: warmed.ice_policy };
        this.token = warmed.room_token;
        this.room.join(warmed.room_token);
        this.network.begin(warmed.ice_servers);
        if (warmed.offer) this.accept(warmed.offer);
        return;
      } catch (error) {
        if (!current()) return;
        if (!(error instanceof Failure && error.passing)) return this.cool();
      }
      await new Promise((resolve) => {
        this.warming = window.setTimeout(resolve, backoff.next());
      });
      if (!current()) return;
    }
  }

  /** Lets go of what was connected ahead of the tap: the page is put away, or another one is warm. */
  cool(): void {
    if (this.tapped) return;
    this.attempt += 1;
    window.clearTimeout(this.warming);
    this.network.stop();
    this.room.close();
    this.room = this.newRoom();
    this.dropPeers();
    this.token = this.ice = this.session = null;
    this.highest = -1;
  }

  /** The tap. Warm: one frame over the open socket. Cold: redeem, socket, camera and answer all start at once. */
  async join(who: { agent: string; company: string; sound: Sound }, wish: Wish): Promise<void> {
    this.agent = who.agent;
    this.company = who.company;
    this.sound = who.sound;
    const warm = this.token !== null;
    // A room that has not said welcome yet hears it right after.
    if (warm) this.room.send({ type: "join" });
    // What the preview has captured goes out before the page changes, which takes longer.
    this.sendTracks();
    this.become({ type: "joining" });
    void this.media.start(wish);
    if (this.peer) {
      this.show(this.peer);
      if (this.peer.connected) this.expectNothing(this.peer);
    }
    this.network.stop();
    if (!warm) return this.joinCold();
    this.joining = window.setTimeout(() => void this.joinCold(), JOIN_MS);
  }

  private async joinCold(): Promise<void> {
    window.clearTimeout(this.joining);
    if (this.seated) return;
    if (this.token !== null) {
      // To the token of before the tap the room may still say that somebody has joined: that is this page.
      this.room.close();
      this.room = this.newRoom();
      this.token = null;
    }
    this.room.open();
    try {
      await this.redeem();
    } catch (error) {
      if (!this.seated) this.fail(error instanceof Failure ? error.problem : OFFLINE);
    }
  }

  private get tapped(): boolean {
    return this.state.type !== "ready";
  }

  private newRoom(): RoomClient {
    const room: RoomClient = new RoomClient(roomUrl(), {
      event: (event) => {
        if (room === this.room) this.receive(event);
      },
      greeted: () => {
        if (room === this.room) this.sayAnswer();
      },
      lost: () => {
        this.signallingLost = true;
        this.changed(this);
      },
      refused: (problem) => {
        if (room === this.room) this.refused(problem);
      },
    });
    return room;
  }

  /** What the agent shares, while it is shared. */
  get screen(): MediaStream | null {
    return this.otherMedia?.screen && this.state.type === "live" ? (this.peer?.screen ?? null) : null;
  }

  private sendTracks(): void {
    const tracks = this.media.outgoing;
    for (const peer of [this.peer, this.incoming]) {
      peer?.send(tracks).catch(() => note({ code: "media_failed" }, "replaceTrack"));
    }
  }

  mediaChanged(): void {
    this.sendTracks();
    if (this.seated) this.room.send({ type: "media", ...this.media.state });
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
    this.try("direct");
    this.waitFor("waiting");
    this.room.renew();
  }

  leave(): void {
    this.room.send({ type: "leave" });
    this.end("customer_left");
  }

  /** Leaves no trace running, whatever the state. */
  dispose(): void {
    this.attempt += 1;
    for (const timer of [this.warming, this.joining, this.deadline]) window.clearTimeout(timer);
    this.network.stop();
    this.room.close();
    this.dropPeers();
    this.media.stop();
  }

  private dropPeers(): void {
    for (const timer of [this.renewal, this.soundOnly, this.nothing]) window.clearTimeout(timer);
    this.stopWatching();
    this.peer?.close();
    this.incoming?.close();
    this.peer = this.incoming = this.shown = null;
    this.video.srcObject = null;
  }

  private async redeem(): Promise<void> {
    const redeemed = await invites.redeem(this.code);
    if (this.state.type === "ended" || this.state.type === "problem" || this.seated) return;
    this.ice = { servers: redeemed.ice_servers, policy: redeemed.ice_policy };
    this.token = redeemed.room_token;
    this.roomId = redeemed.room;
    this.agent = redeemed.agent_name;
    this.company = redeemed.company;
    this.sit();
    this.room.join(redeemed.room_token);
    if (redeemed.offer) this.accept(redeemed.offer);
  }

  /** The invite is redeemed for this browser. */
  private sit(): void {
    if (!this.token || !this.roomId) return;
    window.clearTimeout(this.joining);
    this.seated = true;
    const { code, roomId: room, token, agent, company } = this;
    seat.write({ code, room, token, agent, company });
    if (this.state.type !== "live") this.waitFor(this.peer ? "connecting" : "waiting");
  }

  private receive(event: RoomEvent): void {
    switch (event.type) {
      case "welcome":
        this.signallingLost = false;
        this.roomId = event.room;
        this.meet(event.other);
        this.hear(event.other_media);
        if (this.seated) this.room.send({ type: "media", ...this.media.state });
        else if (this.tapped) this.room.send({ type: "join" });
        if (event.offer) this.accept(event.offer);
        this.repeat();
        break;
      case "joined":
        if (this.seated) break;
        this.sit();
        this.room.send({ type: "media", ...this.media.state });
        this.repeat();
        break;
      case "presence":
        this.meet(event);
        break;
      case "agent":
        this.handedTo(event.name);
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
      case "attempt":
        this.try(event.attempt);
        break;
      case "ice":
        this.ice = { servers: event.servers, policy: event.policy };
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
    if (this.session !== null && this.session !== other.session) {
      this.highest = -1;
      this.try("direct");
    }
    this.session = other.session;
  }

  private handedTo(agent: string): void {
    this.agent = agent;
    this.takingOver = this.state.type === "live";
    const mine = seat.read();
    if (this.seated && mine) seat.write({ ...mine, agent });
  }

  /** The desk climbs the ladder; this side says so, and sends no picture where none gets through. */
  private try(attempt: Attempt): void {
    if (this.trying !== attempt && attempt !== "direct") note({ code: "attempt" }, attempt);
    this.trying = attempt;
    this.media.holdPictures(attempt === "sound_only");
  }

  private accept(offer: Offer): void {
    if (offer.negotiation <= this.highest || !this.ice) return;
    this.highest = offer.negotiation;
    window.clearTimeout(this.renewal);
    this.incoming?.close();
    const peer: Peer = new Peer(offer, this.ice, this.media.outgoing, {
      candidate: (candidate) => {
        // Those of before go with the answer.
        if (peer.saidOn === this.room.line) this.sayCandidate(peer, candidate);
      },
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
    if (this.seated && this.state.type !== "live") this.waitFor("connecting");
    if (!this.tapped) this.network.begin(this.ice.servers);
    peer
      .negotiate()
      .then(() => {
        this.sayAnswer();
        // Tracks that came while the answer was made.
        return peer.send(this.media.outgoing);
      })
      .catch((error: unknown) => {
        note({ code: "media_failed" }, String(error));
        if (!this.tapped) this.cool();
        else if (this.peer === peer && this.state.type !== "live") {
          this.fail({
            code: "media_failed",
            message: "This browser could not start the call.",
            next_step: "Update the browser or open the link in another one. The chat keeps working.",
          });
        }
      });
  }

  /** Once on each socket, until the connection is up: the desk may have missed it on the one before. */
  private sayAnswer(): void {
    const peer = this.incoming ?? this.peer;
    if (!peer?.answer || peer.connected || peer.saidOn === this.room.line) return;
    const { negotiation } = peer;
    if (!this.room.sendAhead({ type: "answer", negotiation, sdp: peer.answer })) return;
    peer.saidOn = this.room.line;
    for (const candidate of peer.candidates()) this.sayCandidate(peer, candidate);
  }

  private sayCandidate({ negotiation }: Peer, candidate: string): void {
    this.room.sendAhead({ type: "candidate", negotiation, candidate });
  }

  /** After a dropped socket: what the desk may have missed. */
  private repeat(): void {
    const peer = this.incoming ?? this.peer;
    if (peer?.answer && this.flowingSaid === peer.negotiation) this.room.send({ type: "media_flowing" });
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
      if (this.tapped) this.expectNothing(peer);
    } else if (peer === this.peer) {
      this.mediaLost = state === "disconnected" || state === "failed";
      if (state === "failed") {
        note({ code: "media_failed" }, "ice");
        window.clearTimeout(this.renewal);
        this.renewal = window.setTimeout(() => {
          // Before the first picture the desk tries the other ways.
          if (this.state.type === "live" || this.trying === "direct") this.room.renew();
        }, RENEW_MS);
      }
      if (state === "connected") {
        window.clearTimeout(this.renewal);
        if (this.tapped) this.expectNothing(peer);
      }
    }
    if (!this.tapped) this.network.path(this.peer?.connected ?? false);
    this.changed(this);
  }

  /** Ahead of the tap the player only gets ready: making one takes as long as the picture is on its way. */
  private show(peer: Peer): void {
    if (this.video.srcObject !== peer.stream) this.video.srcObject = peer.stream;
    if (!this.tapped || this.shown === peer) return;
    this.shown = peer;
    this.stopWatching();
    this.stopWatching = watchFrames(this.video, {
      first: () => this.flowing(peer),
      stalled: (still) => {
        this.still = still;
        this.changed(this);
      },
    });
    this.still = false;
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
    this.takingOver = false;
    if (this.flowingSaid !== peer.negotiation) {
      this.flowingSaid = peer.negotiation;
      // Said after `joined` otherwise, with what else the desk may have missed.
      if (this.seated) this.room.send({ type: "media_flowing" });
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
    // A newer page is warm instead; the tap here still works, the cold way.
    if (problem.code === "room_refused" && !this.tapped) return this.cool();
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
    // `ready` is never entered, only left.
    if (state.type !== "ready") setPhase(state.type);
    this.changed(this);
  }
}

export function accepted(event: Event): void {
  figures.accept_at = performance.timeOrigin + event.timeStamp;
  figures.first_frame_at = null;
}
