/** The seat this tab has in a call, kept over a reload so that the person is offered to rejoin. */

import { slot } from "../store";
import { RoomClient, roomUrl } from "./room-client";

export interface Seat {
  code: string;
  room: string;
  token: string;
  agent: string;
  company: string;
}

export const seat = slot<Seat>("seat");

/** Tells the room that this side does not come back, without joining the call again. */
export function giveUpSeat(): void {
  const mine = seat.read();
  if (!mine) return;
  const room: RoomClient = new RoomClient(roomUrl(), {
    event(event) {
      if (event.type === "welcome") room.send({ type: "leave" });
    },
    greeted: () => {},
    lost: () => room.close(),
    refused: () => {},
  });
  room.join(mine.token);
}
