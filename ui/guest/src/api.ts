/** Requests to our own server; every failure comes out as a `Failure` that carries a `Problem`. */

import type { ErrorCode, InviteView, Problem, Redeemed, Survey, Warmed } from "../../shared/wire";
import { browserKey } from "./browser-key";

export class Failure extends Error {
  constructor(
    readonly problem: Problem,
    readonly status: number,
  ) {
    super(problem.message);
  }

  get code(): ErrorCode {
    return this.problem.code;
  }

  /** Whether the same request may succeed later without anyone doing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export const OFFLINE: Problem = {
  code: "server_unreachable",
  message: "There is no connection right now.",
  next_step: "Check your network. It goes on by itself when you are back.",
};

const UNREADABLE: Problem = {
  code: "internal",
  message: "The answer could not be read.",
  next_step: "Try again in a moment.",
};

/** Long enough for a slow phone network, short enough that nobody stares at a still page. */
const DEADLINE_MS = 12_000;

/** Megabytes over such a network. */
const UPLOAD_DEADLINE_MS = 120_000;

interface Call {
  method?: "GET" | "POST";
  token?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export async function request<T>(path: string, call: Call = {}): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", ...call.headers };
  if (call.token) headers["authorization"] = `Bearer ${call.token}`;
  const form = call.body instanceof FormData ? call.body : null;
  // Of a form the browser writes the type itself, with what divides its parts.
  if (call.method === "POST" && !form) headers["content-type"] = "application/json";
  const init: RequestInit = {
    method: call.method ?? "GET",
    headers,
    cache: "no-store",
    signal: AbortSignal.timeout(form ? UPLOAD_DEADLINE_MS : DEADLINE_MS),
  };
  if (call.method === "POST") init.body = form ?? JSON.stringify(call.body ?? {});
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Failure(OFFLINE, 0);
  }
  if (response.status === 204) return undefined as T;
  const parsed: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Failure(problemIn(parsed) ?? UNREADABLE, response.status);
  if (parsed === null) throw new Failure(UNREADABLE, response.status);
  return parsed as T;
}

/** The problem in an answer's body: ours as it is, or inside Direct Line's own `error` object. */
export function problemIn(body: unknown): Problem | null {
  if (typeof body !== "object" || body === null) return null;
  const { code, message, next_step } = body as Partial<Problem>;
  if (code && message) return { code, message, next_step: next_step ?? "" };
  return "error" in body ? problemIn(body.error) : null;
}

export const invites = {
  view: (code: string): Promise<InviteView> =>
    request(`/v1/invites/${encodeURIComponent(code)}`, {
      headers: { "x-sightline-browser": browserKey() },
    }),
  redeem: (code: string): Promise<Redeemed> =>
    request(`/v1/invites/${encodeURIComponent(code)}/redeem`, {
      method: "POST",
      body: { browser_key: browserKey() },
    }),
  warm: (code: string): Promise<Warmed> =>
    request(`/v1/invites/${encodeURIComponent(code)}/warm`, {
      method: "POST",
      body: { browser_key: browserKey() },
    }),
  decline: (code: string): Promise<void> =>
    request(`/v1/invites/${encodeURIComponent(code)}/decline`, {
      method: "POST",
      body: { browser_key: browserKey() },
    }),
};

export function sendSurvey(room: string, token: string, survey: Survey): Promise<void> {
  return request(`/v1/rooms/${encodeURIComponent(room)}/survey`, { method: "POST", token, body: survey });
}
