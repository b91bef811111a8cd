//! What a call was like is kept with its conversation, once, for those who may read it.

use crate::harness::World;
use serde_json::json;
use sightline_wire::{
    ErrorCode,
    conversation::Conversation,
    device::{Quality, QualityMark},
    escalation::EscalationView,
    stats::{CallMoment, CallStats, MAX_MOMENTS},
};
use uuid::Uuid;

fn moment(at: i64, worst: QualityMark) -> CallMoment {
    let quality = Quality {
        mark: worst,
        rtt_ms: Some(40.0),
        ..Quality::default()
    };
    let reason = format!("{worst:?} at {at}");
    CallMoment {
        at,
        worst,
        reason,
        quality,
    }
}

#[tokio::test]
async fn figures_are_kept_once_and_read_by_those_who_may() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let call = desk
        .start_video(conversation.id, Uuid::new_v4())
        .await
        .unwrap()
        .escalation;
    let path = format!("/v1/escalations/{}/stats", call.id);
    assert_eq!(desk.get::<CallStats>(&path).await.unwrap(), CallStats::of(Vec::new()));

    let first = [moment(15_000, QualityMark::Good), moment(30_000, QualityMark::Poor)];
    let (): () = desk.post(&path, json!({ "moments": first })).await.unwrap();
    // The answer was lost, so the desk sends them again, with one more.
    let more = [&first[..], &[moment(45_000, QualityMark::Good)]].concat();
    let (): () = desk.post(&path, json!({ "moments": more })).await.unwrap();
    assert_eq!(call.quality, None, "not while it goes on");
    let ended: EscalationView = desk
        .post(&format!("/v1/escalations/{}/end", call.id), json!({}))
        .await
        .unwrap();
    assert_eq!(ended.quality.map(|summary| summary.moments), Some(3));
    // The last seconds come after the end.
    let last = moment(50_000, QualityMark::Good);
    let (): () = desk.post(&path, json!({ "moments": [last] })).await.unwrap();

    let stats: CallStats = desk.get(&path).await.unwrap();
    assert_eq!(
        stats.moments.iter().map(|m| m.at).collect::<Vec<_>>(),
        [15_000, 30_000, 45_000, 50_000]
    );
    assert_eq!(stats.moments[..3], more);
    let summary = stats.summary.clone().unwrap();
    assert_eq!(
        (summary.typical, summary.worst, summary.worst_at),
        (QualityMark::Good, QualityMark::Poor, 30_000)
    );
    assert_eq!(summary.worst_reason, "Poor at 30000");
    // One line of it stays with the conversation.
    let kept: Conversation = desk
        .get(&format!("/v1/conversations/{}", conversation.id))
        .await
        .unwrap();
    assert_eq!(kept.escalation.unwrap().quality, Some(summary));

    let supervisor = world.desk("supervisor").await;
    assert_eq!(supervisor.get::<CallStats>(&path).await.unwrap(), stats);
    let adding = supervisor.post::<()>(&path, json!({ "moments": [last] })).await;
    assert_eq!(adding.unwrap_err().code, ErrorCode::NotYourConversation);
    let colleague = world.desk("colleague").await;
    let refused = colleague.get::<CallStats>(&path).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotYourConversation);
    let unknown = format!("/v1/escalations/{}/stats", Uuid::new_v4());
    assert_eq!(
        desk.get::<CallStats>(&unknown).await.unwrap_err().code,
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn too_many_at_once_are_refused() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let call = desk
        .start_video(conversation.id, Uuid::new_v4())
        .await
        .unwrap()
        .escalation;
    let path = format!("/v1/escalations/{}/stats", call.id);
    let moments: Vec<_> = (0..=MAX_MOMENTS as i64)
        .map(|at| moment(at, QualityMark::Good))
        .collect();
    let refused = desk.post::<()>(&path, json!({ "moments": moments })).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooLarge);
}
