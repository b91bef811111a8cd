/**
 * Whether this network lets a relay through, found out in the background while the invitation is read: two peer
 * connections of this page's own, over relays alone, find each other or not. It comes strictly after the connection to
 * the desk, and goes at once when somebody taps.
 */

import type { IceServer } from "../../../shared/wire";
import { note } from "../diagnostics";

/** The connection to the desk has so long to come up before the network is looked at. */
const PATIENCE_MS = 10_000;
/** Once it is up it has the line to itself for so long. */
const SETTLE_MS = 1_500;
/** Nothing after so long is a no. */
const DEADLINE_MS = 8_000;
/** `icecandidateerror`: no answer came from the server's address. Other codes are answers. */
const NO_ANSWER = 701;

export class RelayCheck {
  /** The network seems to let neither the desk nor a relay through. */
  blocked = false;
  /** The connection to the desk. */
  private up = false;
  private through = true;
  private relays: readonly IceServer[] = [];
  /** Before the check, and while it runs. */
  private timer: number | undefined;
  private halt: (() => void) | null = null;

  constructor(private readonly changed: () => void) {}

  /** The connection to the desk is being made, perhaps over another network than before. */
  begin(servers: readonly IceServer[]): void {
    this.stop();
    this.up = false;
    this.through = true;
    this.relays = servers.filter(({ urls }) => urls.some((url) => /^turns?:/.test(url)));
    if (this.relays.length > 0) this.later(PATIENCE_MS);
    this.tell();
  }

  /** Whether the connection to the desk is up. Nothing is wrong while it is. */
  path(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    if (up && this.timer !== undefined) this.later(SETTLE_MS);
    this.tell();
  }

  /** At the tap, or when the page is put away. The connections close after whatever is happening now. */
  stop(): void {
    window.clearTimeout(this.timer);
    this.timer = undefined;
    this.halt?.();
    this.halt = null;
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.run(), ms);
  }

  private run(): void {
    this.timer = undefined;
    try {
      this.halt = throughRelay(this.relays, (through) => {
        this.halt = null;
        this.through = through;
        if (!through) note({ code: "relay_unreachable" }, this.up ? "the connection does without" : "no connection either");
        this.tell();
      });
    } catch {
      // A browser that cannot even try has said nothing about its network.
    }
  }

  private tell(): void {
    const blocked = !this.through && !this.up;
    if (this.blocked === blocked) return;
    this.blocked = blocked;
    this.changed();
  }
}

/**
 * Tells once whether anything of a relay was reached. A relay that gives an address but does not relay to itself, or
 * one that refuses, was reached: that is not this network's doing. Answers how to stop.
 */
function throughRelay(servers: readonly IceServer[], told: (through: boolean) => void): () => void {
  let reached = false;
  let gathering = 2;
  let over = false;
  const pair = [0, 1].map(
    () => new RTCPeerConnection({ iceServers: [...servers], iceTransportPolicy: "relay" }),
  ) as [RTCPeerConnection, RTCPeerConnection];
  const end = () => {
    over = true;
    window.clearTimeout(deadline);
    // Closing takes a moment that belongs to the tap.
    window.setTimeout(() => pair.forEach((one) => one.close()));
  };
  const finish = (through: boolean) => {
    if (over) return;
    end();
    told(through);
  };
  const deadline = window.setTimeout(() => finish(reached), DEADLINE_MS);
  pair.forEach((one, index) => {
    const other = pair[1 - index];
    one.onicecandidate = ({ candidate }) => {
      if (over) return;
      if (candidate?.candidate) reached = true;
      else if (!candidate && --gathering === 0 && !reached) finish(false);
      void other?.addIceCandidate(candidate ?? undefined).catch(() => {});
    };
    one.onicecandidateerror = ({ errorCode }) => {
      if (errorCode !== NO_ANSWER) reached = true;
    };
    one.onconnectionstatechange = () => {
      if (one.connectionState === "connected") finish(true);
      if (one.connectionState === "failed") finish(reached);
    };
  });
  const [near, far] = pair;
  const meet = async () => {
    near.createDataChannel("");
    await near.setLocalDescription();
    if (near.localDescription) await far.setRemoteDescription(near.localDescription);
    await far.setLocalDescription();
    if (far.localDescription) await near.setRemoteDescription(far.localDescription);
  };
  // A browser that cannot even try has said nothing about its network.
  meet().catch(() => finish(true));
  return end;
}
