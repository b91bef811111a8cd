//! Writes `ui/shared/wire.ts` and fails when the committed file differs.
//! `UPDATE_TYPES=1 cargo test -p sightline-wire` rewrites it.

use sightline_wire::{
    account::*, agent::*, conversation::*, desk::*, device::*, directline::*, escalation::*, ids::*, problem::*,
    readiness::*, room::*, routing::*, screen::*, stats::*, survey::*,
};
use ts_rs::{Config, TS};

fn definitions() -> String {
    let config = Config::new().with_large_int("number");
    let mut text = String::from("// Generated from crates/wire by its test `typescript`; do not edit.\n");
    macro_rules! write_types {
        ($($name:ty),+ $(,)?) => {$(
            text.push_str("\nexport ");
            text.push_str(&<$name>::decl(&config));
            text.push('\n');
        )+};
    }
    write_types!(
        AccountId,
        DeskId,
        ConversationId,
        MessageId,
        ClientMessageId,
        CommandId,
        EscalationId,
        RoomId,
        ConnectionId,
        ReportId,
        ErrorCode,
        Problem,
        Role,
        Account,
        SignIn,
        Refresh,
        Session,
        FirstAccount,
        ConversationState,
        Channel,
        ContextValue,
        Author,
        Body,
        Message,
        Conversation,
        SendMessage,
        MessagePage,
        EditConversation,
        WrapUp,
        Close,
        Verdict,
        Issue,
        Survey,
        EndReason,
        EscalationState,
        EscalationView,
        StartVideo,
        IceServer,
        IcePolicy,
        IceConfig,
        VideoStarted,
        InviteState,
        InviteView,
        Redeem,
        Redeemed,
        Warmed,
        Party,
        Offer,
        MediaState,
        Attempt,
        Presence,
        RoomRequest,
        RoomEvent,
        Assignment,
        TakenBack,
        Pause,
        AgentRequest,
        AgentEvent,
        DeviceKind,
        Device,
        DeviceList,
        QualityMark,
        TransportProtocol,
        PathView,
        Quality,
        ConversationStarted,
        ChannelAccount,
        ConversationAccount,
        Activity,
        SightlineData,
        ActivitySet,
        ResourceResponse,
        WebChatStart,
        Rect,
        Above,
        CallMoment,
        CallMoments,
        CallSummary,
        CallStats,
        CheckKind,
        Outcome,
        Finding,
        Unit,
        Figure,
        DeviceIdentity,
        Check,
        Readiness,
        Extent,
        Report,
        Narrowing,
        Lease,
        BoardRow,
        ReadinessPolicy,
        MyReadiness,
        TestCall,
        EchoHeard,
        SelfTestView,
        ScreenKind,
        ScreenSource,
        ScreenList,
        StageLayout,
        DeskCommand,
        SessionView,
        LinkView,
        PendingMessage,
        PendingState,
        CallPhase,
        CallView,
        AssignmentView,
        DeskEvent,
        PainterView,
    );
    text
}

#[test]
fn committed_types_match() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/shared/wire.ts");
    let fresh = definitions();
    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::write(path, &fresh).expect("ui/shared/wire.ts can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == fresh,
        "ui/shared/wire.ts has drifted: UPDATE_TYPES=1 cargo test -p sightline-wire"
    );
}
