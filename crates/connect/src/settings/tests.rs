use super::*;
use std::collections::BTreeSet;

const HOOK: &str = "https://desk.example/v1/hooks/shop";
const DOCUMENT: &str = include_str!("../../../../docs/connectors.md");

fn every_kind() -> impl Iterator<Item = &'static Kind> {
    kinds().iter().chain([&INSTANT_CONNECT])
}

/// Named like its place; a key of ACS is base64.
fn secret(place: &Place) -> Option<Secret> {
    let (Place::Env(name) | Place::Keyring(name)) = place;
    (name != "nothing").then(|| {
        Secret::new(if name.to_ascii_lowercase().ends_with("access_key") {
            "c2VjcmV0"
        } else {
            name
        })
    })
}

fn build(table: &Map<String, Value>) -> Result<(), SettingsError> {
    match table.get("kind").and_then(Value::as_str) {
        Some(kind) if kind == INSTANT_CONNECT.name => {
            let mut fields = table.clone();
            fields.remove("kind");
            instant_connect("shop", &fields, &secret).map(|_| ())
        }
        _ => connector("shop", table, HOOK, &secret).map(|_| ()),
    }
}

fn example(field: &Field) -> Value {
    match field.shape {
        Shape::Text if field.name == "region" => json!("mypurecloud.ie"),
        Shape::Text => json!("text"),
        Shape::Texts => json!(["a", "b"]),
        Shape::Address => json!("http://127.0.0.1:9000"),
        Shape::Secret => json!(format!("env:{}", field.name)),
        Shape::Secrets => json!([format!("env:{}", field.name), "keyring:desk older"]),
    }
}

/// Fields of which only one may be set.
fn excluded(field: &Field) -> bool {
    field.name == "messaging_service_sid"
}

fn full(kind: &Kind) -> Map<String, Value> {
    let fields = kind.fields.iter().filter(|field| !excluded(field));
    let fields = fields.map(|field| (field.name.to_owned(), example(field)));
    std::iter::once(("kind".to_owned(), json!(kind.name)))
        .chain(fields)
        .collect()
}

fn sentence(table: &Map<String, Value>) -> String {
    build(table).unwrap_err().to_string()
}

#[test]
fn every_kind_is_built_of_what_it_says_and_takes_all_of_it() {
    for kind in every_kind() {
        let table = full(kind);
        build(&table).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        for field in kind.fields.iter().filter(|field| !excluded(field)) {
            let mut without = table.clone();
            without.remove(field.name);
            match build(&without) {
                Ok(()) => assert!(!field.needed, "{}.{} is not needed", kind.name, field.name),
                Err(error) if field.needed => assert_eq!(error.field(), Some(field.name)),
                // A pair, or one of two.
                Err(error) => assert!(
                    ["key_sid", "from"].contains(&error.field().unwrap()),
                    "{}.{}: {error}",
                    kind.name,
                    field.name
                ),
            }
        }
    }
}

#[test]
fn every_connector_is_what_its_kind_is_called() {
    for kind in kinds() {
        let connector = connector("shop", &full(kind), HOOK, &secret).unwrap();
        assert_eq!(connector.name(), kind.name);
        assert!(connector.longest() > 0);
    }
}

#[test]
fn a_test_can_stand_in_for_every_platform() {
    for kind in kinds() {
        let connector = connector("shop", &full(kind), HOOK, &secret).unwrap();
        let mut calls = vec![connector.probe()];
        calls.extend(connector.due(0).map(|fetch| fetch.call));
        for call in calls {
            assert!(
                call.url.starts_with("http://127.0.0.1:9000"),
                "{}: {}",
                kind.name,
                call.url
            );
        }
    }
}

#[test]
fn names_and_sentences_are_whole() {
    let mut names = BTreeSet::new();
    for kind in every_kind() {
        assert!(names.insert(kind.name));
        assert!(kind.what.ends_with('.'), "{}", kind.what);
        let fields: BTreeSet<_> = kind.fields.iter().map(|field| field.name).collect();
        assert_eq!(fields.len(), kind.fields.len(), "{}", kind.name);
        for field in kind.fields {
            assert!(field.what.ends_with('.'), "{}", field.what);
            assert!(!field.secret() || field.default.is_none(), "{}", field.name);
            assert!(!(field.needed && field.default.is_some()), "{}", field.name);
        }
    }
}

#[test]
fn defaults_are_the_platforms_own_and_name_other_fields() {
    let table = json!({
        "kind": "genesys", "region": "mypurecloud.de", "integration_id": "i", "webhook_secret": "env:a", "client_id": "c",
        "client_secret": "env:b",
    });
    let connector = connector("g", table.as_object().unwrap(), HOOK, &secret).unwrap();
    assert_eq!(
        connector.due(0).unwrap().call.url,
        "https://login.mypurecloud.de/oauth/token"
    );
    assert!(connector.probe().url.starts_with("https://api.mypurecloud.de/"));
}

#[test]
fn receipts_of_twilio_come_to_our_own_address() {
    let twilio = kinds().iter().find(|kind| kind.name == "twilio-messaging").unwrap();
    let connector = connector("shop", &full(twilio), HOOK, &secret).unwrap();
    let call = connector.send(&crate::Outbound {
        thread: crate::Thread("+15550100".into()),
        key: "k".into(),
        agent: "Ada".into(),
        text: "Hi".into(),
        link: None,
        at: 0,
    });
    let mut fields = form_urlencoded::parse(&call.body);
    assert!(fields.any(|(name, value)| name == "StatusCallback" && value == HOOK));
}

#[test]
fn what_is_wrong_is_said_with_the_field_and_the_next_step() {
    let table = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut table = full(kinds().iter().find(|kind| kind.name == "whatsapp").unwrap());
        change(&mut table);
        table
    };
    let said = |name: &str, value: Value| sentence(&table(&|table| drop(table.insert(name.into(), value.clone()))));
    assert_eq!(
        said("acces_token", json!("env:A")),
        "[connectors.shop] A connector of this kind has no field `acces_token`. Its fields are: phone_number_id, \
         access_token, app_secret, verify_token, template_name, template_language, version, graph_base."
    );
    assert_eq!(
        sentence(&table(&|table| drop(table.remove("phone_number_id")))),
        "[connectors.shop] `phone_number_id` is missing. The number's id, which is not the number."
    );
    assert_eq!(
        said("phone_number_id", json!("")),
        "[connectors.shop] `phone_number_id` is missing. The number's id, which is not the number."
    );
    assert_eq!(
        said("version", json!(23)),
        "[connectors.shop] `version` has to be a text in quotation marks."
    );
    assert_eq!(
        said("access_token", json!("env:nothing")),
        "[connectors.shop] `access_token` names env:nothing, and nothing is there. Put the secret there and start again."
    );
    let address = said("graph_base", json!("http://graph.example"));
    assert!(
        address.contains("`graph_base`") && address.contains("https://"),
        "{address}"
    );
    let kinds = said("kind", json!("whatsup"));
    assert!(
        kinds.contains("no kind `whatsup`") && kinds.contains("whatsapp, genesys"),
        "{kinds}"
    );
    assert!(sentence(&table(&|table| drop(table.remove("kind")))).contains("no `kind`"));
    assert!(sentence(&table(&|table| drop(table.insert("app_secret".into(), json!([]))))).contains("`app_secret` is"));

    let rooms = json!({ "kind": "webex-instant-connect", "bot_token": "env:BOT" });
    let none = connector("shop", rooms.as_object().unwrap(), HOOK, &secret)
        .err()
        .unwrap();
    assert!(none.to_string().contains("[webex_instant_connect]"), "{none}");
    let wrong = json!({ "bot_token": "env:nothing" });
    let wrong = instant_connect("webex_instant_connect", wrong.as_object().unwrap(), &secret).unwrap_err();
    assert!(
        wrong.to_string().starts_with("[webex_instant_connect] `bot_token`"),
        "{wrong}"
    );

    let name = connector("my shop", &table(&|_| {}), HOOK, &secret).err().unwrap();
    assert!(name.to_string().contains("letters, digits"), "{name}");
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    for told in [
        json!("EAAG-hidden"),
        json!("env:"),
        json!("ENV:hidden"),
        json!(["hidden"]),
        json!({ "a": "hidden" }),
    ] {
        let mut table = full(kinds().iter().find(|kind| kind.name == "whatsapp").unwrap());
        table.insert("app_secret".into(), told.clone());
        let error = build(&table).unwrap_err();
        assert_eq!(error.field(), Some("app_secret"), "{told}");
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        let shown = serde_json::to_string(&redacted(&table)).unwrap();
        assert!(!shown.contains("hidden\""), "{shown}");
    }
}

#[test]
fn what_is_shown_are_places_and_everything_that_is_no_secret() {
    let table = json!({
        "kind": "webhook", "url": "https://crm.example/hook", "secret": ["env:NEW", "keyring:desk older", "s3cret"],
        "secrets": "s3cret",
    });
    let shown = redacted(table.as_object().unwrap());
    let expected = json!({
        "kind": "webhook", "url": "https://crm.example/hook", "secret": ["env:NEW", "keyring:desk older", "(hidden)"],
        "secrets": "(hidden)",
    });
    assert_eq!(Value::Object(shown), expected);
    let expected = [
        ("secret", Place::Env("NEW".into())),
        ("secret", Place::Keyring("desk older".into())),
    ];
    assert_eq!(places(table.as_object().unwrap()), expected);
    let rooms = json!({ "kind": "webex-instant-connect", "bot_token": "env:BOT", "org_id": "o" });
    assert_eq!(redacted(rooms.as_object().unwrap()), *rooms.as_object().unwrap());
    assert_eq!(
        places(rooms.as_object().unwrap()),
        [("bot_token", Place::Env("BOT".into()))]
    );
    let unknown = json!({ "kind": "whatsup", "token": "s3cret" });
    let expected = json!({ "kind": "whatsup", "token": "(hidden)" });
    assert_eq!(Value::Object(redacted(unknown.as_object().unwrap())), expected);
}

#[test]
fn places_are_written_as_they_are_read() {
    for text in ["env:TOKEN_2", "keyring:sightline whatsapp"] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "env",
        "env:",
        "env:A B",
        "env:A=B",
        "keyring: ",
        "file:/etc/token",
        "Env:A",
    ] {
        assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
    }
}

/// The document's tables are read here, so that what it shows is what works.
#[test]
fn the_document_has_a_section_with_a_working_table_for_every_kind() {
    let tables: Vec<Map<String, Value>> = DOCUMENT
        .split("```toml\n")
        .skip(1)
        .map(|rest| table(rest.split("```").next().unwrap()))
        .collect();
    for kind in every_kind() {
        let heading = format!("\n## {}", kind.name);
        assert!(DOCUMENT.contains(&heading), "no section on {}", kind.name);
        let shown: Vec<_> = tables.iter().filter(|table| table["kind"] == kind.name).collect();
        assert!(!shown.is_empty(), "no table of {}", kind.name);
        for table in shown {
            build(table).unwrap_or_else(|error| panic!("{error}"));
            let needed = kind.fields.iter().filter(|field| field.needed);
            needed.for_each(|field| assert!(table.contains_key(field.name)));
        }
    }
}

/// The little of TOML that the document uses, of which every line is JSON behind the equals sign.
fn table(block: &str) -> Map<String, Value> {
    let lines = block.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(|line| line.split_once(" = "));
    let mut table: Map<_, _> = lines
        .map(|(name, value)| (name.to_owned(), serde_json::from_str(value).unwrap()))
        .collect();
    if block.starts_with("[webex_instant_connect]") {
        table.insert("kind".to_owned(), json!(INSTANT_CONNECT.name));
    }
    table
}
