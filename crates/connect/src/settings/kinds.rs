//! What each kind of connector has to be told.

use super::{
    Fault,
    build::{self, Build},
};
use crate::bot;
use serde::Serialize;
use std::fmt;

/// A kind of connector.
#[derive(Clone, Copy, Serialize)]
pub struct Kind {
    /// As it stands in the file: `kind = "whatsapp"`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub what: &'static str,
    /// What it has to be told, in the order in which to ask.
    pub fields: &'static [Field],
    #[serde(skip)]
    pub(super) build: Build,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One field of a kind.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Field {
    /// As it stands in the file.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub what: &'static str,
    /// What stands there.
    pub shape: Shape,
    /// Whether there is no connector without it.
    pub needed: bool,
    /// What is taken where nothing stands there. A name in braces is the field of that name.
    pub default: Option<&'static str>,
}

impl Field {
    /// Whether its place is shown instead of what it holds.
    pub fn secret(&self) -> bool {
        matches!(self.shape, Shape::Secret | Shape::Secrets)
    }
}

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// An address with `https://`; `http://` only for this computer itself.
    Address,
    /// The [`Place`](super::Place) of a secret.
    Secret,
    /// The place of a secret, or a list of places while one secret replaces another: the new one first.
    Secrets,
}

const fn needed(name: &'static str, shape: Shape, what: &'static str) -> Field {
    Field {
        name,
        what,
        shape,
        needed: true,
        default: None,
    }
}

const fn optional(name: &'static str, shape: Shape, what: &'static str) -> Field {
    Field {
        name,
        what,
        shape,
        needed: false,
        default: None,
    }
}

const fn otherwise(name: &'static str, shape: Shape, default: &'static str, what: &'static str) -> Field {
    Field {
        name,
        what,
        shape,
        needed: false,
        default: Some(default),
    }
}

const ACCOUNT_SID: Field = needed("account_sid", Shape::Text, "The account's id, AC….");
const AUTH_TOKEN: Field = needed(
    "auth_token",
    Shape::Secrets,
    "The account's auth token, which webhooks are signed with.",
);
const KEY_SID: Field = optional(
    "key_sid",
    Shape::Text,
    "The id of an API key, SK…, for our calls; without one they are signed in with the auth token.",
);
const KEY_SECRET: Field = optional("key_secret", Shape::Secret, "The secret of that key.");

/// Every kind of connector.
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// Webex Instant Connect makes rooms and has no conversations of its own, so it is no connector; its table is read in
/// the same way.
pub static INSTANT_CONNECT: Kind = Kind {
    name: "webex-instant-connect",
    what: "Rooms of Webex Instant Connect, with a link for the agent and one for the customer.",
    fields: &[
        needed("bot_token", Shape::Secret, "The token of a Webex bot."),
        optional("org_id", Shape::Text, "The organisation's id; invites by SMS need it."),
        optional(
            "sms_country",
            Shape::Text,
            "Two letters of the country whose numbers are invited by SMS; without it numbers carry their country code.",
        ),
        otherwise(
            "broker_base",
            Shape::Address,
            "https://mtg-broker-a.wbx2.com",
            "Where rooms are asked for.",
        ),
    ],
    build: |_, _| Err(Fault::NoConnector),
};

static KINDS: &[Kind] = &[
    Kind {
        name: "twilio-messaging",
        what: "SMS, and WhatsApp through Twilio.",
        fields: &[
            ACCOUNT_SID,
            AUTH_TOKEN,
            KEY_SID,
            KEY_SECRET,
            optional("from", Shape::Text, "Our number, +15550100 or whatsapp:+15550100."),
            optional(
                "messaging_service_sid",
                Shape::Text,
                "A messaging service, MG…, instead of a number.",
            ),
            optional(
                "template_sid",
                Shape::Text,
                "An approved template, HX…, for invites outside the WhatsApp window.",
            ),
            otherwise(
                "template_link_variable",
                Shape::Text,
                "1",
                "The number of that template's variable for the link.",
            ),
            otherwise(
                "api_base",
                Shape::Address,
                "https://api.twilio.com",
                "Where messages are sent.",
            ),
        ],
        build: build::twilio_messaging,
    },
    Kind {
        name: "twilio-conversations",
        what: "Chats of Twilio Conversations, and Flex on top of them.",
        fields: &[
            ACCOUNT_SID,
            AUTH_TOKEN,
            KEY_SID,
            KEY_SECRET,
            optional(
                "workspace_sid",
                Shape::Text,
                "Flex's workspace, WS…, for what is kept with its tasks.",
            ),
            optional(
                "staff",
                Shape::Texts,
                "Identities that are no customers: agents and bots in the same conversations.",
            ),
            otherwise(
                "conversations_base",
                Shape::Address,
                "https://conversations.twilio.com",
                "Where conversations are.",
            ),
            otherwise(
                "taskrouter_base",
                Shape::Address,
                "https://taskrouter.twilio.com",
                "Where Flex's tasks are.",
            ),
            otherwise(
                "media_base",
                Shape::Address,
                "https://mcs.us1.twilio.com",
                "Where files are.",
            ),
        ],
        build: build::twilio_conversations,
    },
    Kind {
        name: "whatsapp",
        what: "WhatsApp directly from Meta (Business Cloud API).",
        fields: &[
            needed(
                "phone_number_id",
                Shape::Text,
                "The number's id, which is not the number.",
            ),
            needed("access_token", Shape::Secret, "A system user's token."),
            needed(
                "app_secret",
                Shape::Secrets,
                "The app's secret, which webhooks are signed with.",
            ),
            needed(
                "verify_token",
                Shape::Secret,
                "Chosen by you and typed in at Meta; it shows that the address is yours.",
            ),
            optional(
                "template_name",
                Shape::Text,
                "An approved template with one variable, the link, for invites outside the 24 hours.",
            ),
            otherwise("template_language", Shape::Text, "en", "That template's language."),
            otherwise("version", Shape::Text, "v23.0", "Of the Graph API."),
            otherwise(
                "graph_base",
                Shape::Address,
                "https://graph.facebook.com",
                "Where the Graph API is.",
            ),
        ],
        build: build::whatsapp,
    },
    Kind {
        name: "genesys",
        what: "Genesys Cloud Open Messaging.",
        fields: &[
            needed("region", Shape::Text, "The region's domain: mypurecloud.ie."),
            needed("integration_id", Shape::Text, "The Open Messaging integration's id."),
            needed(
                "webhook_secret",
                Shape::Secrets,
                "The integration's secret for webhooks.",
            ),
            needed(
                "client_id",
                Shape::Text,
                "The id of an OAuth client for client credentials.",
            ),
            needed("client_secret", Shape::Secret, "That client's secret."),
            otherwise(
                "api_base",
                Shape::Address,
                "https://api.{region}",
                "Where the interface is.",
            ),
            otherwise(
                "login_base",
                Shape::Address,
                "https://login.{region}",
                "Where tokens come from.",
            ),
        ],
        build: build::genesys,
    },
    Kind {
        name: "acs",
        what: "Chat threads of Azure Communication Services.",
        fields: &[
            needed("endpoint", Shape::Address, "The resource's endpoint."),
            needed("access_key", Shape::Secret, "One of the resource's two access keys."),
            needed("user", Shape::Text, "The identity as which we speak: 8:acs:…."),
            needed(
                "webhook_code",
                Shape::Secret,
                "Chosen by you, letters and digits; it stands as ?code= in the address that Event Grid calls.",
            ),
        ],
        build: build::acs,
    },
    Kind {
        name: "bot",
        what: "Channels of the Bot Framework, where we are registered as a bot.",
        fields: &[
            needed("app_id", Shape::Text, "The registration's application id."),
            needed("app_secret", Shape::Secret, "The registration's secret."),
            otherwise(
                "tenant",
                Shape::Text,
                "botframework.com",
                "The organisation that it belongs to; the default is for a bot of several.",
            ),
            otherwise(
                "issuer",
                Shape::Text,
                bot::token::ISSUER,
                "Who signs the service's requests.",
            ),
            otherwise(
                "metadata",
                Shape::Address,
                bot::token::METADATA,
                "The document that says where the service's keys are.",
            ),
            otherwise("login_base", Shape::Address, bot::LOGIN, "Where tokens come from."),
        ],
        build: build::bot,
    },
    Kind {
        name: "direct-line",
        what: "A bot behind Direct Line in front of the web chat, or Dynamics 365 with a channel of one's own; we call, nobody \
               calls us.",
        fields: &[
            needed(
                "direct_line_secret",
                Shape::Secret,
                "A secret of the bot's Direct Line channel.",
            ),
            otherwise("user", Shape::Text, "dl_sightline", "As whom we speak to the bot."),
            optional(
                "channel_type",
                Shape::Text,
                "Our channeltype, for a bot of Dynamics 365.",
            ),
            otherwise(
                "bot_name",
                Shape::Text,
                "Bot",
                "What customers and agents call the bot where it does not tell its name.",
            ),
            optional(
                "entry",
                Shape::Text,
                "Only web chats whose page says this as its context variable `entry` begin with the bot; without it, every \
                 new one does.",
            ),
            otherwise(
                "base",
                Shape::Address,
                "https://directline.botframework.com",
                "Where the service is, or a region's own.",
            ),
        ],
        build: build::direct_line,
    },
    Kind {
        name: "webex-messaging",
        what: "Spaces of Webex messaging, where we are a bot.",
        fields: &[
            needed("bot_token", Shape::Secret, "The bot's token."),
            needed(
                "webhook_secret",
                Shape::Secrets,
                "Chosen by you and given to Webex with the webhook, which is signed with it.",
            ),
            otherwise(
                "api_base",
                Shape::Address,
                "https://webexapis.com",
                "Where the interface is.",
            ),
        ],
        build: build::webex_messaging,
    },
    Kind {
        name: "webex-connect",
        what: "Digital channels of Webex Connect, by flows that you make.",
        fields: &[
            needed("hub_secret", Shape::Secrets, "The webhook's hub secret."),
            needed("url", Shape::Address, "The address of your flow's inbound webhook."),
            optional("flow_key", Shape::Secret, "What that flow expects as the header `key`."),
        ],
        build: build::webex_connect,
    },
    Kind {
        name: "webhook",
        what: "Your own system, by a signed webhook in both directions.",
        fields: &[
            needed("url", Shape::Address, "Where our calls go."),
            needed(
                "secret",
                Shape::Secrets,
                "The shared secret; of several the first one signs our calls, and each may sign yours.",
            ),
        ],
        build: build::webhook,
    },
];
