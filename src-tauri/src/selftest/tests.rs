use super::*;
use crate::options::Options;
use flags::Stop;
use sightline_desk::selftest::headless::Tested;
use sightline_wire::{
    ids::ReportId,
    readiness::{Check, Finding, Report},
};

fn flags(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Flags, Stop> {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let find = |name: &str| {
        let mut set = environment.iter();
        set.find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
    };
    Flags::with(&arguments, find, |rest| {
        let mut all = rest.to_vec();
        if !all.iter().any(|flag| flag == "--data-dir") {
            all.extend(["--data-dir".into(), "/nowhere".into()]);
        }
        Options::of(&all)
    })
}

fn check(kind: CheckKind, outcome: Outcome) -> Check {
    Check {
        kind,
        outcome,
        finding: (outcome == Outcome::Fail).then_some(Finding::CameraMissing),
        sentence: "Said \"so\".".into(),
        remedy: "Do this.".into(),
        figures: Vec::new(),
        device: None,
        took_ms: 1_250,
    }
}

fn tested(readiness: Readiness, outcomes: &[(CheckKind, Outcome)]) -> Tested {
    Tested {
        report: Report {
            id: ReportId(uuid::Uuid::nil()),
            extent: Extent::Full,
            started_at: 0,
            finished_at: 30_000,
            app_version: "0.1.0".into(),
            system: "Linux".into(),
            readiness,
            checks: outcomes.iter().map(|(kind, outcome)| check(*kind, *outcome)).collect(),
        },
        not_signed_in: None,
        sent: None,
    }
}

#[test]
fn flags_are_read_and_nonsense_is_answered_with_the_usage() {
    let given = flags(
        &[
            "--json",
            "--junit",
            "/tmp/x.xml",
            "--only",
            "camera, relay_tls",
            "--relay-only",
        ],
        &[],
    )
    .unwrap();
    assert!(given.json && given.relay_only && given.only);
    assert_eq!(given.kinds, [CheckKind::Camera, CheckKind::RelayTls]);
    assert_eq!(given.junit, Some("/tmp/x.xml".into()));
    let given = flags(&["--server", "https://desk.example/"], &[]).unwrap();
    assert_eq!(given.options.server.as_deref(), Some("https://desk.example"));
    assert_eq!(given.kinds, CheckKind::ALL);

    for nonsense in [
        &["--junit"][..],
        &["--only", "camara"],
        &["--only", ","],
        &["--verbose"],
        &["camera"],
    ] {
        match flags(nonsense, &[]) {
            Err(Stop::Usage(text)) => assert!(text.contains("relayed_call"), "{text}"),
            Err(Stop::Help(_)) | Ok(_) => panic!("{nonsense:?} was understood"),
        }
    }
    assert!(matches!(flags(&["--help"], &[]), Err(Stop::Help(_))));
}

#[test]
fn who_signs_in_comes_from_the_environment_alone() {
    let both = [("SIGHTLINE_EMAIL", "ana@example.test"), ("SIGHTLINE_PASSWORD", "a b")];
    let given = flags(&[], &both).unwrap();
    assert_eq!(given.credentials, Some(("ana@example.test".into(), "a b".into())));
    assert!(flags(&[], &both[..1]).is_err());
    assert!(flags(&["--password", "a b"], &[]).is_err());
}

#[test]
fn exit_codes_say_what_the_report_says() {
    use Outcome::{Fail, Pass, Skipped, Warn};
    let all = flags(&[], &[]).unwrap();
    let only = flags(&["--only", "camera"], &[]).unwrap();
    let cases = [
        (&all, Readiness::Video, vec![(CheckKind::Camera, Pass)], 0),
        (&all, Readiness::Video, vec![(CheckKind::Echo, Warn)], 1),
        (&all, Readiness::Video, vec![(CheckKind::Keyring, Fail)], 1),
        (&all, Readiness::Audio, vec![(CheckKind::Camera, Fail)], 2),
        (&all, Readiness::NotReady, vec![(CheckKind::Microphone, Fail)], 2),
        (&only, Readiness::NotReady, vec![(CheckKind::Camera, Pass)], 0),
        (&only, Readiness::NotReady, vec![(CheckKind::Camera, Skipped)], 0),
        (&only, Readiness::NotReady, vec![(CheckKind::Camera, Fail)], 2),
    ];
    for (flags, readiness, outcomes, expected) in cases {
        let tested = tested(readiness, &outcomes);
        assert_eq!(verdict(flags, &tested).exit_code(), expected, "{outcomes:?}");
    }
}

#[test]
fn without_a_sign_in_a_full_test_is_none_but_a_server_that_is_away_is_a_finding() {
    let all = flags(&[], &[]).unwrap();
    let mut nobody = tested(Readiness::NotReady, &[(CheckKind::Backend, Outcome::Pass)]);
    nobody.not_signed_in = Some(ErrorCode::WrongCredentials.into());
    assert_eq!(verdict(&all, &nobody), Verdict::CouldNotRun);
    let camera = flags(&["--only", "camera"], &[]).unwrap();
    assert_ne!(verdict(&camera, &nobody), Verdict::CouldNotRun);

    let mut away = tested(Readiness::NotReady, &[(CheckKind::Backend, Outcome::Fail)]);
    away.not_signed_in = Some(ErrorCode::ServerUnreachable.into());
    assert_eq!(verdict(&all, &away), Verdict::NotReady);
}

#[test]
fn json_and_junit_hold_every_check() {
    let outcomes = [
        (CheckKind::Camera, Outcome::Fail),
        (CheckKind::Microphone, Outcome::Pass),
        (CheckKind::Echo, Outcome::Warn),
        (CheckKind::RelayTls, Outcome::Skipped),
    ];
    let done = Ok(tested(Readiness::Audio, &outcomes));
    let value = json(Verdict::NotReady, &done);
    assert_eq!(value["exit_code"], 2);
    assert_eq!(value["report"]["checks"][0]["finding"], "camera_missing");
    assert_eq!(value["report"]["checks"].as_array().unwrap().len(), 4);

    let xml = junit::document(&done);
    assert!(
        xml.contains("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"30.000\""),
        "{xml}"
    );
    assert!(xml.contains("<failure type=\"camera_missing\" message=\"Said &quot;so&quot;.\">Do this.</failure>"));
    assert!(xml.contains("name=\"microphone\" time=\"1.250\"/>"));
    assert_eq!(xml.matches("</testcase>").count(), 3);
    let none = Err(Problem::new(ErrorCode::ServerUnreachable));
    assert!(junit::document(&none).contains("errors=\"1\""));
    assert_eq!(json(Verdict::CouldNotRun, &none)["report"], serde_json::Value::Null);
    assert!(terminal::summary(Verdict::CouldNotRun, &none).contains("could not be run"));
}
