//! The accounts of the first start, and changing a password from the command line.

use crate::{app::now, config::ServerConfig, secrets, start::StartError};
use sightline_store::{Store, StoreError, accounts, accounts::StoredAccount, sessions};
use sightline_wire::{
    account::{Account, FirstAccount},
    ids::AccountId,
};
use std::path::Path;
use uuid::Uuid;

/// Creates the configured accounts when there are none, and answers their passwords, this once.
pub async fn create(store: &Store, config: &ServerConfig) -> Result<Vec<FirstAccount>, StoreError> {
    let mut writing = store.write().await?;
    if !accounts::none_yet(writing.conn()).await? {
        return Ok(Vec::new());
    }
    let mut made = Vec::new();
    for new in &config.first_accounts {
        let password = match &new.password {
            Some(chosen) => chosen.expose().to_string(),
            None => secrets::password(),
        };
        let account = Account {
            id: AccountId(Uuid::new_v4()),
            email: accounts::fold_email(&new.email),
            name: new.name.clone(),
            role: new.role,
        };
        let password_hash = secrets::hash_password(&password);
        made.push(FirstAccount {
            email: account.email.clone(),
            role: account.role,
            password,
        });
        accounts::insert(writing.conn(), &StoredAccount { account, password_hash }, now()).await?;
    }
    let _committed = writing.commit().await?;
    Ok(made)
}

/// Sets a password and ends every sign-in of that account. `false` when nobody has this e-mail address.
pub async fn set_password(database: &Path, email: &str, password: &str) -> Result<bool, StartError> {
    let store = Store::open(database).await?;
    let mut writing = store.write().await?;
    let Some(stored) = accounts::by_email(writing.conn(), email).await? else {
        return Ok(false);
    };
    let hash = secrets::hash_password(password);
    accounts::set_password_hash(writing.conn(), stored.account.id, &hash).await?;
    sessions::revoke_account(writing.conn(), stored.account.id, now()).await?;
    drop(writing.commit().await?);
    store.close().await;
    Ok(true)
}
