//! The connectors, each from the values of its kind.

use super::{Fault, read::Values};
use crate::{
    Connector,
    acs::{self, Acs, sign::AccessKey},
    bot::{
        self, Bot,
        token::{Expected, SKEW},
    },
    directline::DirectLine,
    generic::{self, Generic},
    genesys::{self, Genesys},
    twilio::{Account, Template},
    twilio_conversations::{self, TwilioConversations},
    twilio_messaging::{self, Sender, TwilioMessaging},
    webex_connect::{self, WebexConnect},
    webex_messaging::{self, WebexMessaging},
    whatsapp::{self, WhatsApp},
};
use std::sync::Arc;

/// Takes every value; the second argument is our own address.
pub(super) type Build = fn(&mut Values, &str) -> Result<Arc<dyn Connector>, Fault>;

fn account(values: &mut Values) -> Result<Account, Fault> {
    let (sid, auth_tokens) = (values.need("account_sid"), values.secrets("auth_token"));
    let key = (values.text("key_sid"), values.secret("key_secret"));
    let (key_sid, key_secret) = match key {
        (Some(sid), Some(secret)) => (sid, secret),
        (None, None) => (sid.clone(), auth_tokens[0].clone()),
        (Some(_), None) | (None, Some(_)) => {
            return Err(Fault::Together {
                field: "key_sid",
                other: "key_secret",
            });
        }
    };
    Ok(Account {
        sid,
        auth_tokens,
        key_sid,
        key_secret,
    })
}

pub(super) fn twilio_messaging(values: &mut Values, hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    let account = account(values)?;
    let sender = match (values.text("from"), values.text("messaging_service_sid")) {
        (Some(address), None) => Sender::From(address),
        (None, Some(sid)) => Sender::Service(sid),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fault::OneOf {
                field: "from",
                other: "messaging_service_sid",
            });
        }
    };
    let link_variable = values.need("template_link_variable");
    let template = values.text("template_sid").map(|content_sid| Template {
        content_sid,
        link_variable,
    });
    Ok(Arc::new(TwilioMessaging::new(twilio_messaging::Settings {
        account,
        sender,
        status_callback: Some(hook.to_owned()),
        template,
        api: values.need("api_base"),
    })))
}

pub(super) fn twilio_conversations(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(TwilioConversations::new(twilio_conversations::Settings {
        account: account(values)?,
        workspace_sid: values.text("workspace_sid"),
        staff: values.texts("staff"),
        conversations: values.need("conversations_base"),
        tasks: values.need("taskrouter_base"),
        media: values.need("media_base"),
    })))
}

pub(super) fn whatsapp(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    let language = values.need("template_language");
    let template = values
        .text("template_name")
        .map(|name| whatsapp::Template { name, language });
    Ok(Arc::new(WhatsApp::new(whatsapp::Settings {
        version: values.need("version"),
        phone_number_id: values.need("phone_number_id"),
        access_token: values.need_secret("access_token"),
        app_secrets: values.secrets("app_secret"),
        verify_token: values.need_secret("verify_token"),
        template,
        graph: values.need("graph_base"),
    })))
}

pub(super) fn genesys(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    // It is part of the defaults of both addresses and of nothing else.
    values.need("region");
    Ok(Arc::new(Genesys::new(genesys::Settings {
        api: values.need("api_base"),
        login: values.need("login_base"),
        integration_id: values.need("integration_id"),
        webhook_secrets: values.secrets("webhook_secret"),
        client_id: values.need("client_id"),
        client_secret: values.need_secret("client_secret"),
    })))
}

pub(super) fn acs(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    let key = values.need_secret("access_key");
    Ok(Arc::new(Acs::new(acs::Settings {
        endpoint: values.need("endpoint"),
        key: AccessKey::new(key.expose()).map_err(|_| Fault::NotAKey("access_key"))?,
        user: values.need("user"),
        webhook_code: values.need_secret("webhook_code"),
    })))
}

pub(super) fn bot(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Bot::new(bot::Settings {
        expected: Expected {
            audience: values.need("app_id"),
            issuer: values.need("issuer"),
            skew: SKEW,
        },
        metadata: values.need("metadata"),
        login: values.need("login_base"),
        tenant: values.need("tenant"),
        secret: values.need_secret("app_secret"),
    })))
}

pub(super) fn direct_line(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(DirectLine {
        base: values.need("base"),
        bearer: values.need_secret("direct_line_secret"),
        user: values.need("user"),
        dynamics: values.text("channel_type"),
        name: values.need("bot_name"),
        entry: values.text("entry"),
    }))
}

pub(super) fn webex_messaging(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(WebexMessaging::new(webex_messaging::Settings {
        api: values.need("api_base"),
        bot_token: values.need_secret("bot_token"),
        webhook_secrets: values.secrets("webhook_secret"),
    })))
}

pub(super) fn webex_connect(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(WebexConnect::new(webex_connect::Settings {
        url: values.need("url"),
        flow_key: values.secret("flow_key"),
        hub_secrets: values.secrets("hub_secret"),
    })))
}

pub(super) fn webhook(values: &mut Values, _hook: &str) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Generic::new(generic::Settings {
        url: values.need("url"),
        secrets: values.secrets("secret"),
    })))
}
