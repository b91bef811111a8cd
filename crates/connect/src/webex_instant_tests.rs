//! The shapes are those of the recorded exchange in Webex's own sample for contact centres; the values are ours.

use super::*;
use crate::fuzz;

fn instant() -> Instant {
    Instant {
        broker: "https://broker.example".into(),
        bot_token: Secret::new("only for tests"),
        org_id: Some("org-1".into()),
        sms_country: None,
    }
}

fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

fn answer() -> Value {
    json!({
        "host": [{ "cipher": "eyJh.b.c.d.e", "short": "hostKey1" }],
        "guest": [{ "cipher": "eyJf.g.h.i.j", "short": "guestK_2" }],
        "baseUrl": "https://instant.example/visit/",
    })
}

fn read(answer: &Value) -> Result<Meeting, BrokerError> {
    meeting(Wanted::for_two("i-1"), 200, answer.to_string().as_bytes())
}

#[test]
fn a_meeting_is_asked_for_as_the_sample_does() {
    let call = instant().create(Wanted::for_two("interaction-1"));
    assert_eq!(
        (call.method, call.url.as_str()),
        ("POST", "https://broker.example/api/v2/joseencrypt")
    );
    assert!(
        call.headers
            .contains(&("authorization", "Bearer only for tests".into()))
    );
    let expected = json!({
        "jwt": { "sub": "interaction-1" }, "aud": AUDIENCE, "numHost": 1, "numGuest": 1, "verticalType": "cc",
        "provideShortUrls": true, "loginUrlForHost": true,
    });
    assert_eq!(body(&call), expected);
}

#[test]
fn its_links_are_the_base_address_and_the_short_keys() {
    let meeting = read(&answer()).unwrap();
    assert_eq!(meeting.host_url, "https://instant.example/visit/hostKey1");
    assert_eq!(meeting.guest_url, "https://instant.example/visit/guestK_2");
}

#[test]
fn several_guests_have_a_link_each_or_there_is_no_meeting() {
    let wanted = Wanted {
        guests: 2,
        hosts_sign_in: false,
        ..Wanted::for_two("i-1")
    };
    assert_eq!(body(&instant().create(wanted))["loginUrlForHost"], json!(false));
    let mut two = answer();
    two["guest"] = json!([{ "short": "one" }, { "short": "two" }]);
    let read = |answer: &Value| meeting(wanted, 200, answer.to_string().as_bytes());
    assert_eq!(read(&two).unwrap().more_guests, ["https://instant.example/visit/two"]);
    assert_eq!(read(&answer()), Err(BrokerError::Incomplete("guest's link")));
}

#[test]
fn what_the_broker_does_not_give_is_never_made_into_an_address() {
    let spoilt = |change: &dyn Fn(&mut Value)| {
        let mut spoilt = answer();
        change(&mut spoilt);
        read(&spoilt)
    };
    for key in [
        json!(null),
        json!(""),
        json!("None"),
        json!("null"),
        json!("a/b"),
        json!("../x"),
        json!(7),
    ] {
        for side in ["host", "guest"] {
            let result = spoilt(&|answer| answer[side][0]["short"] = key.clone());
            assert!(
                matches!(result, Err(BrokerError::Incomplete(_))),
                "{side} {key}: {result:?}"
            );
        }
    }
    for base in [
        json!(null),
        json!(""),
        json!("https:///"),
        json!("http://instant.example/"),
        json!("javascript:x/"),
        json!("https://instant.example"),
        json!("https://a@b/"),
    ] {
        let result = spoilt(&|answer| answer["baseUrl"] = base.clone());
        assert!(matches!(result, Err(BrokerError::Incomplete(_))), "{base}: {result:?}");
    }
    let result = spoilt(&|answer| answer["host"] = json!([]));
    assert_eq!(result, Err(BrokerError::Incomplete("host's link")));
    let result = spoilt(&|answer| answer["guest"] = answer["host"].clone());
    assert_eq!(result, Err(BrokerError::Incomplete("link for the guest alone")));
    for body in ["", "null", "[]", "{}", "<html>"] {
        let result = meeting(Wanted::for_two("i-1"), 200, body.as_bytes());
        assert!(matches!(result, Err(BrokerError::Incomplete(_))), "{body}");
    }
}

#[test]
fn a_failure_says_whether_once_more_may_help() {
    for (status, error) in [
        (401, BrokerError::Refused(401)),
        (404, BrokerError::Refused(404)),
        (302, BrokerError::Refused(302)),
        (429, BrokerError::Unavailable(429)),
        (503, BrokerError::Unavailable(503)),
    ] {
        let body = answer().to_string();
        assert_eq!(meeting(Wanted::for_two("i-1"), status, body.as_bytes()), Err(error));
        assert_eq!(invited(status, br#"{"status":"Successful"}"#), Err(error));
    }
}

#[test]
fn an_invite_names_the_number_in_either_shape() {
    let call = instant()
        .invite("i-1", Some("+1 (555) 010-0999"), PhoneLine::Mobile)
        .unwrap();
    assert_eq!(call.url, "https://broker.example/api/v1/sms/meetingInvite");
    let mut expected = json!({ "integration": "jose", "vertical": "cc", "orgId": "org-1", "meetingId": "i-1" });
    expected["mobileNumbersWithCountryCode"] = json!(["+15550100999"]);
    assert_eq!(body(&call), expected);

    let by_country = Instant {
        sms_country: Some("US".into()),
        ..instant()
    };
    let call = by_country
        .invite("i-1", Some("tel:+15550100999"), PhoneLine::Unknown)
        .unwrap();
    assert_eq!(
        body(&call)["mobileNumbersWithAlpha2CountryCode"],
        json!({ "us": ["+15550100999"] })
    );
    assert_eq!(body(&call).get("mobileNumbersWithCountryCode"), None);
}

#[test]
fn who_cannot_be_reached_by_sms_is_not_invited() {
    let invite = |number, line| instant().invite("i-1", number, line).map(|_| ());
    for number in [
        None,
        Some(""),
        Some(" "),
        Some("anonymous"),
        Some("Restricted"),
        Some("None"),
    ] {
        assert_eq!(
            invite(number, PhoneLine::Mobile),
            Err(NoInvite::Number(NoSms::Absent)),
            "{number:?}"
        );
    }
    for number in [
        "5550100",
        "+",
        "+0155501000",
        "+1555",
        "+1234567890123456",
        "+1555O100999",
        "sip:a@b",
    ] {
        assert_eq!(
            invite(Some(number), PhoneLine::Mobile),
            Err(NoInvite::Number(NoSms::NotANumber)),
            "{number}"
        );
    }
    assert_eq!(
        invite(Some("+493055501000"), PhoneLine::Landline),
        Err(NoInvite::Number(NoSms::Landline))
    );
    let nobody = Instant {
        org_id: None,
        ..instant()
    };
    let result = nobody.invite("i-1", Some("+15550100999"), PhoneLine::Mobile);
    assert_eq!(result, Err(NoInvite::NoOrganisation));
}

#[test]
fn an_invite_is_sent_when_the_broker_says_so() {
    assert_eq!(invited(200, br#"{"status":"Successful"}"#), Ok(()));
    assert_eq!(invited(200, br#"{"status":"Failed"}"#), Err(BrokerError::NotSent));
    assert_eq!(invited(200, b"{}"), Err(BrokerError::Incomplete("status")));
}

#[test]
fn no_changed_answer_becomes_an_address_of_another_kind() {
    fuzz::mutations(answer().to_string().as_bytes(), 3_000, |body| {
        if let Ok(meeting) = meeting(Wanted::for_two("i-1"), 200, body) {
            for url in [&meeting.host_url, &meeting.guest_url] {
                assert!(url.starts_with("https://") && !url.ends_with('/'), "{url}");
            }
        }
        let _ = invited(200, body);
    });
}

#[test]
fn a_test_asks_for_a_meeting_of_which_nothing_stays() {
    let call = instant().test("test-1", 1_700_000_000);
    assert_eq!(call.url, "https://broker.example/api/v2/joseencrypt");
    let expected = json!({
        "jwt": { "sub": "test-1", "exp": 1_700_000_060 }, "aud": AUDIENCE, "numHost": 1, "numGuest": 1,
        "verticalType": "cc", "provideShortUrls": false, "loginUrlForHost": true,
    });
    assert_eq!(body(&call), expected);
    // Without short addresses there are only the long ones.
    let long = json!({
        "host": [{ "cipher": "eyJh.b.c.d.e" }], "guest": [{ "cipher": "eyJf.g.h.i.j" }],
        "baseUrl": "https://instant.example/visit/",
    });
    assert_eq!(tested(200, long.to_string().as_bytes()), Ok(()));
    assert_eq!(tested(200, answer().to_string().as_bytes()), Ok(()));
    assert_eq!(tested(401, b"{}"), Err(BrokerError::Refused(401)));
    for (path, missing) in [
        ("host", "host's link"),
        ("guest", "guest's link"),
        ("baseUrl", "base address"),
    ] {
        let mut spoilt = long.clone();
        spoilt.as_object_mut().unwrap().remove(path);
        let result = tested(200, spoilt.to_string().as_bytes());
        assert_eq!(result, Err(BrokerError::Incomplete(missing)));
    }
    assert_eq!(tested(200, b"<html>"), Err(BrokerError::Incomplete("meeting")));
}
