/** Whether this browser can make a call, and if not, what the person can do about it. */

export type Support =
  | { type: "full" }
  /** An app's own browser that may refuse the camera; seeing, hearing and chatting still work. `null`: some app. */
  | { type: "in_app"; app: string | null; can_receive: boolean }
  | { type: "unsupported" };

const APPS: readonly (readonly [RegExp, string | null])[] = [
  [/FBAN|FBAV|FB_IAB/, "Facebook"],
  [/Instagram/, "Instagram"],
  [/MicroMessenger/, "WeChat"],
  [/\bLine\//, "LINE"],
  [/TikTok|musical_ly|BytedanceWebview/, "TikTok"],
  [/LinkedInApp/, "LinkedIn"],
  [/Snapchat/, "Snapchat"],
  [/; wv\)/, null],
];

export function detectSupport(userAgent: string, hasPeerConnection: boolean): Support {
  for (const [pattern, app] of APPS) {
    if (pattern.test(userAgent)) return { type: "in_app", app, can_receive: hasPeerConnection };
  }
  return hasPeerConnection ? { type: "full" } : { type: "unsupported" };
}

export function support(): Support {
  return detectSupport(navigator.userAgent, typeof RTCPeerConnection === "function");
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}
