//! The kinds of conversations in the mixed run, and what is known by which name where.

use serde_json::json;
use uuid::Uuid;

/// How a customer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    TwilioConversations,
    TwilioMessaging,
    WhatsApp,
    Genesys,
    Acs,
    Bot,
    WebexMessaging,
    WebexConnect,
    Webhook,
    /// A telephone call, told by the signed webhook.
    Phone,
    WebChat,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::TwilioConversations,
        Self::TwilioMessaging,
        Self::WhatsApp,
        Self::Genesys,
        Self::Acs,
        Self::Bot,
        Self::WebexMessaging,
        Self::WebexConnect,
        Self::Webhook,
        Self::Phone,
        Self::WebChat,
    ];

    /// The connector's name in the file and in addresses, where there is one.
    pub fn connector(self) -> Option<&'static str> {
        Some(match self {
            Self::TwilioConversations => "flex",
            Self::TwilioMessaging => "sms",
            Self::WhatsApp => "whatsapp",
            Self::Genesys => "genesys",
            Self::Acs => "azure",
            Self::Bot => "teams",
            Self::WebexMessaging => "webex",
            Self::WebexConnect => "webex-connect",
            Self::Webhook | Self::Phone => "crm",
            Self::WebChat => return None,
        })
    }

    /// Whether the platform wants to know that a customer's message has come.
    pub fn is_told_of_receipts(self) -> bool {
        matches!(self, Self::Genesys | Self::Webhook)
    }

    /// Whether the platform knows a message again by our key for it.
    pub fn knows_keys(self) -> bool {
        match self {
            Self::Genesys | Self::WebexConnect | Self::Webhook | Self::Phone => true,
            Self::TwilioConversations
            | Self::TwilioMessaging
            | Self::WhatsApp
            | Self::Acs
            | Self::Bot
            | Self::WebexMessaging
            | Self::WebChat => false,
        }
    }

    /// The platform's name for the conversation with this number.
    pub fn thread(self, number: usize) -> String {
        match self {
            Self::TwilioConversations => format!("CH{number:032}"),
            Self::TwilioMessaging => format!("+1555{number:07}"),
            Self::WhatsApp => format!("4915550{number:05}"),
            other => format!("{other:?}-{number:04}"),
        }
    }

    /// The customer as the agent sees them; nobody else is called so.
    pub fn customer(self, number: usize) -> String {
        match self {
            Self::TwilioMessaging | Self::WebexConnect => self.thread(number),
            other => format!("{other:?} customer {number:04}"),
        }
    }

    /// What the deployment's file says of it, with a platform at this address.
    pub fn table(self, url: &str) -> String {
        let twilio = "account_sid = 'AC0'\nauth_token = 'env:MIXED_SECRET'";
        let fields = match self {
            Self::TwilioConversations => {
                format!("kind = 'twilio-conversations'\n{twilio}\nconversations_base = '{url}'")
            }
            Self::TwilioMessaging => {
                format!("kind = 'twilio-messaging'\n{twilio}\nfrom = '+15550100'\napi_base = '{url}'")
            }
            Self::WhatsApp => format!(
                "kind = 'whatsapp'\nphone_number_id = 'number-1'\naccess_token = 'env:MIXED_SECRET'\n\
                 app_secret = 'env:MIXED_SECRET'\nverify_token = 'env:MIXED_SECRET'\ngraph_base = '{url}'"
            ),
            Self::Genesys => format!(
                "kind = 'genesys'\nregion = 'region.example'\nintegration_id = 'integration'\n\
                 webhook_secret = 'env:MIXED_SECRET'\nclient_id = 'client'\nclient_secret = 'env:MIXED_SECRET'\n\
                 api_base = '{url}'\nlogin_base = '{url}'"
            ),
            Self::Acs => format!(
                "kind = 'acs'\nendpoint = '{url}'\naccess_key = 'env:MIXED_KEY'\nuser = '8:acs:desk'\n\
                 webhook_code = 'env:MIXED_SECRET'"
            ),
            Self::Bot => format!(
                "kind = 'bot'\napp_id = 'app-1'\napp_secret = 'env:MIXED_SECRET'\nmetadata = '{url}/metadata'\n\
                 login_base = '{url}'"
            ),
            Self::WebexMessaging => format!(
                "kind = 'webex-messaging'\nbot_token = 'env:MIXED_SECRET'\nwebhook_secret = 'env:MIXED_SECRET'\n\
                 api_base = '{url}'"
            ),
            Self::WebexConnect => {
                format!(
                    "kind = 'webex-connect'\nhub_secret = 'env:MIXED_SECRET'\nurl = '{url}/flow'\nflow_key = 'env:MIXED_SECRET'"
                )
            }
            Self::Webhook | Self::Phone => {
                format!("kind = 'webhook'\nurl = '{url}/in'\nsecret = 'env:MIXED_SECRET'")
            }
            Self::WebChat => return String::new(),
        };
        let name = self.connector().unwrap_or_default();
        format!("[connectors.{name}]\ncalls_per_second = 500\n{fields}\n\n")
    }
}

/// One conversation from its beginning to its end.
pub struct Talk {
    pub number: usize,
    pub kind: Kind,
    /// What the customer writes.
    pub customer: Vec<String>,
    /// What the agent writes.
    pub agent: Vec<String>,
    /// What the customer wrote, in the order in which the server had it.
    pub arrived: Vec<String>,
    /// What the platform has to hear, in this order.
    pub owed: Vec<String>,
    /// A web chat's thread and its token.
    pub page: Option<(String, String)>,
}

impl Talk {
    pub fn new(number: usize, kind: Kind) -> Self {
        let words = |who: char, count: usize| (0..count).map(|n| format!("{kind:?} {number:04} {who}{n}")).collect();
        let phone = kind == Kind::Phone;
        Self {
            number,
            kind,
            customer: words('c', if phone { 0 } else { 4 }),
            agent: words('a', if phone { 0 } else { 3 }),
            arrived: Vec::new(),
            owed: Vec::new(),
            page: None,
        }
    }

    pub fn thread(&self) -> String {
        self.kind.thread(self.number)
    }

    /// The platform's id of what the customer wrote.
    pub fn id(&self, n: usize) -> String {
        format!("m-{}-{n}", self.number)
    }
}

/// Secrets of this run.
pub struct Secrets {
    pub secret: String,
    /// As Azure shows it.
    pub key: String,
}

impl Secrets {
    pub fn new() -> Self {
        use base64::Engine;
        let secret = Uuid::new_v4().simple().to_string();
        let key = base64::prelude::BASE64_STANDARD.encode(&secret);
        Self { secret, key }
    }

    pub fn variables(&self) -> [(&'static str, String); 2] {
        [("MIXED_SECRET", self.secret.clone()), ("MIXED_KEY", self.key.clone())]
    }
}

/// The service that signs for bots: one key, as long as the run.
pub struct Service {
    pair: aws_lc_rs::rsa::KeyPair,
}

impl Service {
    pub fn new() -> Self {
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        Self { pair }
    }

    /// What stands at the address of its keys.
    pub fn keys(&self) -> serde_json::Value {
        use aws_lc_rs::signature::KeyPair;
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
        let public = self.pair.public_key();
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "kid": "key-1",
            "n": BASE64.encode(public.modulus().big_endian_without_leading_zero()),
            "e": BASE64.encode(public.exponent().big_endian_without_leading_zero()),
            "endorsements": ["msteams"],
        }] })
    }

    /// The header of a request that speaks for this address until then, in seconds.
    pub fn authorization(&self, service_url: &str, until: i64) -> String {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
        let claims = json!({
            "iss": sightline_connect::bot::token::ISSUER, "aud": "app-1", "exp": until, "serviceurl": service_url,
        });
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1" });
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &aws_lc_rs::signature::RSA_PKCS1_SHA256,
                &aws_lc_rs::rand::SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("Bearer {signed}.{}", BASE64.encode(signature))
    }
}
