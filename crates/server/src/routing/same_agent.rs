//! The agent for whom a chat asks: Dynamics 365's sample gives it to the one whose e-mail address its context names.

use sightline_store::accounts::fold_email;
use sightline_wire::{
    account::Account,
    conversation::{Context, ContextValue},
    ids::AccountId,
    link::AGENT_EMAIL,
};

/// Who that is. Whether the context may say so is for the caller to know.
pub fn same_agent(context: &Context, accounts: &[Account]) -> Option<AccountId> {
    let Some(ContextValue::Text(email)) = context.get(AGENT_EMAIL) else {
        return None;
    };
    let wanted = fold_email(email);
    let found = accounts.iter().find(|account| fold_email(&account.email) == wanted);
    found.map(|account| account.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::account::Role;
    use uuid::Uuid;

    #[test]
    fn an_address_finds_its_agent_and_nothing_else_does() {
        let maria = Account {
            id: AccountId(Uuid::from_u128(1)),
            email: "maria@example.test".into(),
            name: "Maria".into(),
            role: Role::Agent,
        };
        let of = |name: &str, value: ContextValue| {
            same_agent(&Context::from([(name.to_owned(), value)]), std::slice::from_ref(&maria))
        };
        let text = |text: &str| ContextValue::Text(text.into());
        assert_eq!(of(AGENT_EMAIL, text("maria@example.test")), Some(maria.id));
        assert_eq!(of(AGENT_EMAIL, text(" Maria@Example.test ")), Some(maria.id));
        assert_eq!(of(AGENT_EMAIL, text("jonas@example.test")), None);
        assert_eq!(of(AGENT_EMAIL, text("")), None);
        assert_eq!(of(AGENT_EMAIL, ContextValue::Truth(true)), None);
        assert_eq!(of("emailaddresscontextvariable", text("maria@example.test")), None);
    }
}
