//! The readiness board: every agent with what may be offered to them, as rows and as CSV.

use super::{policy, view};
use crate::{app::App, dates::iso8601};
use sightline_store::{
    SqliteConnection, StoreError, accounts,
    readiness::{self, StoredLease},
};
use sightline_wire::{
    UnixMillis,
    account::{Account, Role},
    device::DeviceKind,
    ids::{AccountId, DeskId},
    readiness::{BoardRow, Readiness},
};
use std::collections::HashMap;

/// Every row, by the agents' names.
pub async fn rows(app: &App, c: &mut SqliteConnection) -> Result<Vec<BoardRow>, StoreError> {
    let mut leases: HashMap<AccountId, Vec<StoredLease>> = HashMap::new();
    for lease in readiness::all_leases(c).await? {
        leases.entry(lease.account).or_default().push(lease);
    }
    let everybody = accounts::all(c).await?;
    let row_of = |account: Account| {
        let mut theirs = leases.remove(&account.id).unwrap_or_default();
        let here = app.desks.connected(account.id);
        // The desk that is connected, or the one that was last.
        let at = theirs
            .iter()
            .position(|lease| here.is_none_or(|desk| desk == lease.desk));
        let lease = at.map(|at| theirs.swap_remove(at));
        row(app, account, lease, here)
    };
    Ok(everybody.into_iter().filter_map(row_of).collect())
}

/// One agent's row; `None` for somebody who is not on the board.
pub async fn row_of(app: &App, c: &mut SqliteConnection, account: AccountId) -> Result<Option<BoardRow>, StoreError> {
    let Some(account) = accounts::by_id(c, account).await? else {
        return Ok(None);
    };
    let here = app.desks.connected(account.id);
    let lease = match here {
        Some(desk) => readiness::lease(c, account.id, desk).await?,
        None => readiness::newest_lease(c, account.id).await?,
    };
    Ok(row(app, account, lease, here))
}

/// Agents are always on the board, supervisors and admins once they have tested a desk of theirs.
fn row(app: &App, account: Account, stored: Option<StoredLease>, here: Option<DeskId>) -> Option<BoardRow> {
    let lease = stored.as_ref().and_then(|stored| view(app, stored));
    if account.role != Role::Agent && lease.is_none() {
        return None;
    }
    Some(BoardRow {
        testing: app.readiness.asked.waits(account.id),
        agent: account.id,
        name: account.name,
        desk: here.or(stored.as_ref().map(|stored| stored.desk)),
        online: here.is_some(),
        lease,
        tested_at: stored.as_ref().and_then(|stored| stored.state.tested_at()),
        path: stored.map(|stored| stored.path).unwrap_or_default(),
    })
}

const COLUMNS: [&str; 12] = [
    "Agent",
    "Readiness",
    "Since (UTC)",
    "Until (UTC)",
    "Why",
    "Failed checks",
    "Camera",
    "Microphone",
    "Speaker",
    "Network path",
    "Connected",
    "Tested (UTC)",
];

/// The board as a table for other programs (RFC 4180), in UTF-8 with the mark that spreadsheets look for.
pub fn csv(rows: &[BoardRow]) -> String {
    let mut text = String::from("\u{feff}");
    line(&mut text, COLUMNS.into_iter().map(String::from));
    for row in rows {
        line(&mut text, cells(row).into_iter());
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        quote(text, &cell);
    }
    text.push_str("\r\n");
}

/// Always quoted, so that no content can begin another cell. What a spreadsheet would take for a formula gets an
/// apostrophe before it, as OWASP's "CSV Injection" advises: names of agents and devices are other people's text.
fn quote(text: &mut String, cell: &str) {
    text.push('"');
    let first = cell.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars().next();
    if first.is_some_and(|c| "=+-@\t\r\n|%\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c)) {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

fn cells(row: &BoardRow) -> [String; 12] {
    let lease = row.lease.as_ref();
    let time = |at: Option<UnixMillis>| at.map(iso8601).unwrap_or_default();
    let device = |kind: DeviceKind| {
        let names = lease.into_iter().flat_map(|lease| &lease.devices);
        let names: Vec<&str> = names
            .filter(|device| device.kind == kind)
            .map(|device| device.name.as_str())
            .collect();
        names.join("; ")
    };
    let narrowings = || lease.into_iter().flat_map(|lease| &lease.narrowed_by);
    let why: Vec<String> = narrowings().map(policy::sentence).collect();
    let failed: Vec<&str> = narrowings().filter_map(policy::failed_check).collect();
    [
        row.name.clone(),
        readiness_word(lease.map(|lease| lease.readiness)).into(),
        time(lease.map(|lease| lease.since)),
        time(lease.map(|lease| lease.expires_at)),
        why.join(" "),
        failed.join("; "),
        device(DeviceKind::Camera),
        device(DeviceKind::Microphone),
        device(DeviceKind::Speaker),
        row.path.clone(),
        if row.online { "yes" } else { "no" }.into(),
        time(row.tested_at),
    ]
}

fn readiness_word(readiness: Option<Readiness>) -> &'static str {
    match readiness {
        Some(Readiness::Video) => "ready for video",
        Some(Readiness::Audio) => "audio only",
        Some(Readiness::NotReady) => "not ready",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::readiness::{CheckKind, DeviceIdentity, Finding, Lease, Narrowing};
    use uuid::Uuid;

    fn row_named(name: &str, camera: &str) -> BoardRow {
        BoardRow {
            agent: AccountId(Uuid::from_u128(1)),
            name: name.into(),
            desk: Some(DeskId(Uuid::from_u128(2))),
            online: true,
            lease: Some(Lease {
                readiness: Readiness::Audio,
                since: 0,
                expires_at: 86_400_000,
                narrowed_by: vec![Narrowing::Failed {
                    check: CheckKind::Camera,
                    finding: Some(Finding::CameraBlack),
                }],
                devices: vec![DeviceIdentity {
                    kind: DeviceKind::Camera,
                    id: "c".into(),
                    name: camera.into(),
                }],
            }),
            tested_at: None,
            path: "UDP, direct".into(),
            testing: false,
        }
    }

    #[test]
    fn a_line_holds_its_row_whatever_the_names_are() {
        let text = csv(&[row_named("Ana \"Nana\" Ruiz, Madrid", "two\r\nlines")]);
        let body = text.split_once("\r\n").unwrap().1;
        assert_eq!(
            body,
            concat!(
                "\"Ana \"\"Nana\"\" Ruiz, Madrid\",\"audio only\",\"1970-01-01T00:00:00.000Z\",",
                "\"1970-01-02T00:00:00.000Z\",\"The camera's picture is black.\",\"camera\",\"two\r\nlines\",\"\",\"\",",
                "\"UDP, direct\",\"yes\",\"\"\r\n"
            )
        );
    }

    #[test]
    fn nothing_becomes_a_formula() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\u{ff1d}1", "%0A=1"] {
            let text = csv(&[row_named(name, "=cmd|' /C calc'!A0")]);
            assert!(text.contains(&format!("\"'{name}\"")), "{name}");
            assert!(text.contains("\"'=cmd|"), "{name}");
        }
        assert!(csv(&[row_named("Ana", "C920")]).contains("\"Ana\""));
    }
}
