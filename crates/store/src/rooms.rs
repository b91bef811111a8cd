//! What a room keeps over a restart: tokens, sessions, the waiting offer.

use crate::{
    StoreError,
    codec::{from_json, from_name, id, json, name},
};
use sightline_wire::{
    ids::RoomId,
    room::{MediaState, Offer, Party},
};
use sqlx::{FromRow, SqliteConnection};

/// One side's part of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSide {
    /// Number of its peer connection; 0 before the first.
    pub session: u32,
    /// Hash of the newest resume token.
    pub resume: Option<String>,
    /// Hash of the one before, for a welcome that never arrived.
    pub resume_before: Option<String>,
    /// What it sends.
    pub media: MediaState,
}

/// A room as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredRoom {
    /// The desk's side.
    pub agent: StoredSide,
    /// The customer's side.
    pub customer: StoredSide,
    /// The newest offer.
    pub offer: Option<Offer>,
    /// The answer to it.
    pub answer: Option<String>,
}

#[derive(FromRow)]
struct Row {
    agent_session: i64,
    agent_resume: Option<String>,
    agent_resume_before: Option<String>,
    agent_media: String,
    customer_session: i64,
    customer_resume: Option<String>,
    customer_resume_before: Option<String>,
    customer_media: String,
    offer_negotiation: Option<i64>,
    offer_sdp: Option<String>,
    answer_sdp: Option<String>,
}

/// A room by its id.
pub async fn get(c: &mut SqliteConnection, room: RoomId) -> Result<Option<StoredRoom>, StoreError> {
    let row = sqlx::query_as::<_, Row>("SELECT * FROM rooms WHERE id = ?")
        .bind(room.to_string())
        .fetch_optional(c)
        .await?;
    row.map(|row| {
        let unreadable = |_| StoreError::Unreadable { what: "room" };
        let offer = match (row.offer_negotiation, row.offer_sdp) {
            (Some(n), Some(sdp)) => Some(Offer {
                negotiation: n.try_into().map_err(unreadable)?,
                sdp,
            }),
            (None, _) | (_, None) => None,
        };
        Ok(StoredRoom {
            agent: StoredSide {
                session: row.agent_session.try_into().map_err(unreadable)?,
                resume: row.agent_resume,
                resume_before: row.agent_resume_before,
                media: from_json(&row.agent_media, "media state")?,
            },
            customer: StoredSide {
                session: row.customer_session.try_into().map_err(unreadable)?,
                resume: row.customer_resume,
                resume_before: row.customer_resume_before,
                media: from_json(&row.customer_media, "media state")?,
            },
            offer,
            answer: row.answer_sdp,
        })
    })
    .transpose()
}

/// Keeps a room.
pub async fn save(c: &mut SqliteConnection, room: RoomId, stored: &StoredRoom) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE rooms SET agent_session = ?, agent_resume = ?, agent_resume_before = ?, agent_media = ?,
         customer_session = ?, customer_resume = ?, customer_resume_before = ?, customer_media = ?,
         offer_negotiation = ?, offer_sdp = ?, answer_sdp = ? WHERE id = ?",
    )
    .bind(i64::from(stored.agent.session))
    .bind(&stored.agent.resume)
    .bind(&stored.agent.resume_before)
    .bind(json(&stored.agent.media))
    .bind(i64::from(stored.customer.session))
    .bind(&stored.customer.resume)
    .bind(&stored.customer.resume_before)
    .bind(json(&stored.customer.media))
    .bind(stored.offer.as_ref().map(|o| i64::from(o.negotiation)))
    .bind(stored.offer.as_ref().map(|o| o.sdp.as_str()))
    .bind(&stored.answer)
    .bind(room.to_string())
    .execute(c)
    .await?;
    Ok(())
}

/// Adds a token that opens the room for one side.
pub async fn add_token(c: &mut SqliteConnection, hash: &str, room: RoomId, party: Party) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO room_tokens (hash, room, party) VALUES (?, ?, ?)")
        .bind(hash)
        .bind(room.to_string())
        .bind(name(&party))
        .execute(c)
        .await?;
    Ok(())
}

/// No token that one side was given opens the room any more.
pub async fn revoke(c: &mut SqliteConnection, room: RoomId, party: Party) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM room_tokens WHERE room = ? AND party = ?")
        .bind(room.to_string())
        .bind(name(&party))
        .execute(c)
        .await?;
    Ok(())
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// One side's seat.
    Seat(Party),
    /// Connecting ahead of the tap.
    Warm {
        /// Hash of the key of the browser it was given to.
        browser_hash: String,
    },
}

/// What a token opens.
pub async fn by_token(c: &mut SqliteConnection, hash: &str) -> Result<Option<(RoomId, Pass)>, StoreError> {
    let row: Option<(String, String)> = sqlx::query_as("SELECT room, party FROM room_tokens WHERE hash = ?")
        .bind(hash)
        .fetch_optional(&mut *c)
        .await?;
    if let Some((room, party)) = row {
        return Ok(Some((id(&room)?, Pass::Seat(from_name(&party, "party")?))));
    }
    let row: Option<(String, String)> = sqlx::query_as("SELECT room, browser_hash FROM warm_tokens WHERE hash = ?")
        .bind(hash)
        .fetch_optional(c)
        .await?;
    row.map(|(room, browser_hash)| Ok((id(&room)?, Pass::Warm { browser_hash })))
        .transpose()
}

/// Gives a browser a token to connect ahead of the tap; the one before it is worth nothing any more.
pub async fn set_warm(
    c: &mut SqliteConnection,
    room: RoomId,
    hash: &str,
    browser_hash: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO warm_tokens (room, hash, browser_hash) VALUES (?, ?, ?)
         ON CONFLICT (room) DO UPDATE SET hash = excluded.hash, browser_hash = excluded.browser_hash",
    )
    .bind(room.to_string())
    .bind(hash)
    .bind(browser_hash)
    .execute(c)
    .await?;
    Ok(())
}

/// Nobody is warm any more: the invite is redeemed.
pub async fn clear_warm(c: &mut SqliteConnection, room: RoomId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM warm_tokens WHERE room = ?")
        .bind(room.to_string())
        .execute(c)
        .await?;
    Ok(())
}
