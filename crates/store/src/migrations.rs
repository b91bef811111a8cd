//! The schema's history, embedded. Numbers only grow; a released file never changes.

use crate::StoreError;
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

const FILES: [(i64, &str, &str); 13] = [
    (1, "first", include_str!("../migrations/0001_first.sql")),
    (2, "warm", include_str!("../migrations/0002_warm.sql")),
    (3, "call_stats", include_str!("../migrations/0003_call_stats.sql")),
    (4, "call_summary", include_str!("../migrations/0004_call_summary.sql")),
    (5, "readiness", include_str!("../migrations/0005_readiness.sql")),
    (6, "routing", include_str!("../migrations/0006_routing.sql")),
    (7, "connectors", include_str!("../migrations/0007_connectors.sql")),
    (8, "queues", include_str!("../migrations/0008_queues.sql")),
    (9, "supervision", include_str!("../migrations/0009_supervision.sql")),
    (10, "links", include_str!("../migrations/0010_links.sql")),
    (11, "direct_line", include_str!("../migrations/0011_direct_line.sql")),
    (12, "outbox", include_str!("../migrations/0012_outbox.sql")),
    (13, "wall", include_str!("../migrations/0013_wall.sql")),
];

pub(crate) async fn run(pool: &SqlitePool) -> Result<(), StoreError> {
    let migrations = FILES
        .into_iter()
        .map(|(version, name, sql)| {
            Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect::<Vec<_>>();
    let migrator = Migrator {
        migrations: migrations.into(),
        ..Migrator::DEFAULT
    };
    Ok(migrator.run(pool).await?)
}
