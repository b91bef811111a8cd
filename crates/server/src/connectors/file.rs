//! The tables of connectors in the deployment's file: changed beside whatever else stands there, comments included.

use super::broker;
use crate::deployment::Deployment;
use sightline_connect::settings::{INSTANT_CONNECT, Shape, kinds};
use sightline_wire::connectors::SaveConnector;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value, value};

/// The table that stands for what was entered: empty fields are left out, several values are a list.
pub fn table_of(wanted: &SaveConnector) -> Result<Table, String> {
    let mut table = Table::new();
    if wanted.kind != INSTANT_CONNECT.name {
        table["kind"] = value(wanted.kind.as_str());
    }
    let kind = kinds().iter().find(|kind| kind.name == wanted.kind);
    for (name, entered) in &wanted.settings {
        let entered: Vec<&str> = entered
            .iter()
            .map(|one| one.trim())
            .filter(|one| !one.is_empty())
            .collect();
        let shape = kind.and_then(|kind| kind.fields.iter().find(|field| field.name == name));
        let item = match (entered.as_slice(), shape.map(|field| field.shape)) {
            ([], _) => continue,
            ([one], _) if name == "calls_per_second" => value(
                one.parse::<i64>()
                    .map_err(|_| "`calls_per_second` has to be a number.".to_owned())?,
            ),
            (several, Some(Shape::Texts)) => value(several.iter().copied().collect::<Array>()),
            ([one], _) => value(*one),
            (several, _) => value(several.iter().copied().collect::<Array>()),
        };
        table.insert(name, item);
    }
    Ok(table)
}

/// Where the table of this name stands: the broker's by itself, a connector's among the connectors.
fn around<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn TableLike, String> {
    if name == broker::NAME {
        return Ok(document.as_table_mut());
    }
    let connectors = document.entry("connectors").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    connectors.as_table_like_mut().ok_or("`connectors` is no table".into())
}

/// Puts a table into the document; what stands around it, and values that stay, keep their comments.
pub fn put(document: &mut DocumentMut, name: &str, wanted: &Table) -> Result<(), String> {
    let tables = around(document, name)?;
    let Some(there) = tables.get_mut(name).and_then(Item::as_table_like_mut) else {
        tables.insert(name, Item::Table(wanted.clone()));
        return Ok(());
    };
    let gone: Vec<String> = there
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !wanted.contains_key(key))
        .collect();
    for key in gone {
        there.remove(&key);
    }
    for (key, item) in wanted {
        let Some(new) = item.as_value() else { continue };
        match there.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) if same(old, new) => {}
            Some(old) => {
                let decor = old.decor().clone();
                *old = new.clone();
                *old.decor_mut() = decor;
            }
            None => drop(there.insert(key, Item::Value(new.clone()))),
        }
    }
    Ok(())
}

/// Takes a table out of it.
pub fn take(document: &mut DocumentMut, name: &str) -> Result<(), String> {
    let taken = around(document, name)?.remove(name).map(drop);
    taken.ok_or(match name {
        broker::NAME => format!("[{name}] does not stand in it"),
        name => format!("[connectors.{name}] does not stand in it"),
    })
}

/// Whether two values say the same, however they are written.
fn same(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        value.decor_mut().clear();
        value.to_string()
    };
    plain(one) == plain(other)
}

/// Reads the file, changes it, and puts it in the place of the old one in one step: a crash leaves one of the two.
pub fn rewrite(file: &Path, change: impl FnOnce(&mut DocumentMut) -> Result<(), String>) -> io::Result<()> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let text = fs::read_to_string(file)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(error.to_string()))?;
    change(&mut document).map_err(wrong)?;
    let text = document.to_string();
    // What a start would refuse is not written; somebody may have spoilt another part of it meanwhile.
    Deployment::parse(&text).map_err(wrong)?;
    let mut next = file.as_os_str().to_owned();
    next.push(".new");
    let next = PathBuf::from(next);
    let mut written = File::create(&next)?;
    let done = fs::metadata(file)
        .and_then(|old| written.set_permissions(old.permissions()))
        .and_then(|()| written.write_all(text.as_bytes()))
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&next, file));
    if done.is_err() {
        let _ = fs::remove_file(&next);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FILE: &str = "# Ours.\n[queues.default]\ntitle = \"All\" # of them\n\n# The shop.\n[connectors.shop]\n\
                        kind = \"webhook\" # signed\nurl = \"https://shop.example/in\" # theirs\nsecret = \"env:SHOP\"\n";

    fn wanted(settings: &[(&str, &[&str])]) -> Table {
        let settings: BTreeMap<_, _> = settings
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|one| (*one).to_owned()).collect()))
            .collect();
        let kind = "webhook".to_owned();
        table_of(&SaveConnector { kind, settings }).unwrap()
    }

    #[test]
    fn other_settings_leave_comments_and_everything_else_as_they_are() {
        let mut document: DocumentMut = FILE.parse().unwrap();
        let table = wanted(&[
            ("url", &["https://shop.example/new"]),
            ("secret", &["env:SHOP_2", " env:SHOP "]),
            ("calls_per_second", &["5"]),
            ("invites_by", &[""]),
        ]);
        put(&mut document, "shop", &table).unwrap();
        let text = document.to_string();
        for line in [
            "# Ours.",
            "title = \"All\" # of them",
            "# The shop.",
            "kind = \"webhook\" # signed",
            "url = \"https://shop.example/new\" # theirs",
            "secret = [\"env:SHOP_2\", \"env:SHOP\"]",
            "calls_per_second = 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("invites_by"));
    }

    #[test]
    fn the_broker_stands_by_itself_and_has_no_kind() {
        let file = format!("{FILE}\n# The last of them.\n[[rules]]\nqueue = \"default\"\n");
        let mut document: DocumentMut = file.parse().unwrap();
        let wanted = |token: &str| {
            let settings = BTreeMap::from([("bot_token".to_owned(), vec![token.to_owned()])]);
            let kind = INSTANT_CONNECT.name.to_owned();
            table_of(&SaveConnector { kind, settings }).unwrap()
        };
        put(&mut document, broker::NAME, &wanted("env:BOT")).unwrap();
        let text = document.to_string();
        assert!(
            text.contains("[webex_instant_connect]\nbot_token = \"env:BOT\"\n"),
            "{text}"
        );
        put(&mut document, broker::NAME, &wanted("keyring:bot")).unwrap();
        let deployment = Deployment::parse(&document.to_string()).unwrap();
        let table = deployment.webex_instant_connect.unwrap();
        assert_eq!(table["bot_token"].as_str(), Some("keyring:bot"));
        assert_eq!(deployment.connectors.len(), 1);
        take(&mut document, broker::NAME).unwrap();
        assert_eq!(document.to_string(), file);
        assert!(take(&mut document, broker::NAME).is_err());
    }

    #[test]
    fn a_connector_comes_and_goes() {
        let mut document: DocumentMut = FILE.parse().unwrap();
        put(
            &mut document,
            "crm",
            &wanted(&[("url", &["https://crm.example/in"]), ("secret", &["env:CRM"])]),
        )
        .unwrap();
        let deployment = Deployment::parse(&document.to_string()).unwrap();
        assert_eq!(deployment.connectors.keys().collect::<Vec<_>>(), ["crm", "shop"]);
        take(&mut document, "crm").unwrap();
        assert_eq!(document.to_string(), FILE);
        assert!(take(&mut document, "crm").is_err());
        let mut empty = DocumentMut::new();
        put(&mut empty, "crm", &wanted(&[])).unwrap();
        assert_eq!(empty.to_string(), "[connectors.crm]\nkind = \"webhook\"\n");
    }
}
