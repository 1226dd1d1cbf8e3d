//! What travels in the start-up message, and what the kernel is told about the connection.

use super::Case;
use super::Reason::*;
use super::servers::Server;
use crate::support::scripted_server::{ConnectionRecord, Tls};

pub(super) fn cases() -> Vec<Case> {
    let scripted = |title: &str, settings: &str| {
        Case::on_stage(Tls::default(), format!("start-up: {title}")).with(settings)
    };
    let kernel = |title: &str, settings: &str| {
        let tls = Tls { keepalives: true, ..Tls::default() };
        Case::on_stage(tls, format!("kernel: {title}")).with(settings)
    };
    let server = |title: &str, settings: &str| {
        Case::at(Server::Usual, format!("start-up at a server: {title}")).with(settings)
    };
    let mut all = vec![
        scripted("user and database", "user=someone dbname=somewhere")
            .sends("user", "someone")
            .sends("database", "somewhere"),
        scripted("the database is the user", "user=someone dbname=''").sends("database", "someone"),
        scripted("user by the environment", "")
            .instead("host=db.example hostaddr=127.0.0.1 port=PORT0 sslmode=verify-full sslrootcert=FILES/root.crt")
            .env("PGUSER", "someone")
            .env("PGDATABASE", "somewhere")
            .sends("user", "someone")
            .sends("database", "somewhere"),
        scripted("bytes beyond ASCII", "user=j\u{fc}rgen dbname='two words'")
            .sends("user", "j\u{fc}rgen")
            .sends("database", "two words"),
        scripted("application_name", "application_name='some name'").sends("application_name", "some name"),
        scripted("application_name by the environment", "").env("PGAPPNAME", "named").sends("application_name", "named"),
        scripted("application_name before the environment", "application_name=this")
            .env("PGAPPNAME", "that")
            .sends("application_name", "this"),
        scripted("options", "options='-c geqo=off -c work_mem=1MB'").sends("options", "-c geqo=off -c work_mem=1MB"),
        scripted("options by the environment", "").env("PGOPTIONS", "-c geqo=off").sends("options", "-c geqo=off"),
        scripted("no options", "").withholds("options").withholds("replication"),
        scripted("empty options", "options=''").withholds("options"),
        scripted("replication", "replication=database").sends("replication", "database"),
        scripted("client_encoding", "client_encoding=LATIN1").sends("client_encoding", "LATIN1"),
        scripted("client_encoding by the environment", "").env("PGCLIENTENCODING", "LATIN1").sends("client_encoding", "LATIN1"),
        scripted("PGDATESTYLE", "").env("PGDATESTYLE", "German").sends("datestyle", "German"),
        scripted("PGTZ", "").env("PGTZ", "Asia/Tokyo").sends("timezone", "Asia/Tokyo"),
        scripted("PGGEQO", "").env("PGGEQO", "off").sends("geqo", "off"),
        scripted("PGTZ default", "").env("PGTZ", "default").withholds("timezone"),
        scripted("a service", "service=own")
            .env("PGSERVICEFILE", "DIR/services")
            .file("services", "[own]\napplication_name=served\noptions=-c geqo=off\n")
            .sends("application_name", "served")
            .sends("options", "-c geqo=off"),
        kernel("keepalives_idle", "keepalives_idle=77").connections(|_, record| near(record, 77)),
        kernel("keepalives_idle of blanks and digits", "keepalives_idle=' 78 '").connections(|_, record| near(record, 78)),
        kernel("keepalives by default", "").connections(|_, record| record.keepalive.is_some()),
        kernel("keepalives=0", "keepalives=0 keepalives_idle=77").connections(|_, record| record.keepalive.is_none()),
        kernel("keepalives=2", "keepalives=2 keepalives_idle=77").connections(|_, record| near(record, 77)),
        kernel("keepalives_interval and keepalives_count", "keepalives_idle=77 keepalives_interval=5 keepalives_count=3")
            .connections(|_, record| near(record, 77)),
        kernel("keepalives_idle longer than the kernel's limit", "keepalives_idle=32768").refused(Settings),
        kernel("keepalives_idle at the kernel's limit", "keepalives_idle=32767")
            .connections(|_, record| near(record, 32767)),
        // The manual calls 0 the system's default; Linux calls it invalid, and libpq gives up.
        kernel("keepalives_idle of 0", "keepalives_idle=0").refused(Settings),
        kernel("keepalives_idle negative", "keepalives_idle=-5").refused(Settings),
        kernel("keepalives_interval of 0", "keepalives_interval=0").refused(Settings),
        kernel("keepalives_count of 0", "keepalives_count=0").refused(Settings),
        kernel("keepalives_count beyond the kernel's limit", "keepalives_count=128").refused(Settings),
        kernel("keepalives_idle of 0 without keepalives", "keepalives=0 keepalives_idle=0"),
        kernel("tcp_user_timeout", "tcp_user_timeout=5000"),
        kernel("tcp_user_timeout of 0", "tcp_user_timeout=0"),
        kernel("tcp_user_timeout negative", "tcp_user_timeout=-1"),
        server("application_name", "application_name=told_by_parity").logs("application_name=told_by_parity"),
        server("options", "options='-c geqo=off -c work_mem=1MB'"),
        server("options of a superuser", "options='-c geqo=off' user=postgres application_name=told_again")
            .logs("application_name=told_again"),
        server("client_encoding", "client_encoding=LATIN1"),
        server("client_encoding of nonsense", "client_encoding=klingon").refused(Session),
        server("client_encoding=auto", "client_encoding=auto"),
        server("PGTZ of nonsense", "").env("PGTZ", "nonsense").refused(Session),
        server("PGDATESTYLE of nonsense", "").env("PGDATESTYLE", "nonsense").refused(Session),
        server("tcp_user_timeout", "tcp_user_timeout=5000"),
        server("keepalives", "keepalives=1 keepalives_idle=30 keepalives_interval=10 keepalives_count=3"),
    ];
    all.push(
        Case::at_pooler("start-up at PgBouncer: application_name")
            .with(&format!("user=scram password='{}' application_name=pooled", super::servers::PASSWORD)),
    );
    all.push(
        Case::at_pooler("start-up at PgBouncer: a parameter that it does not take")
            .with(&format!("user=scram password='{}'", super::servers::PASSWORD))
            .env("PGGEQO", "off")
            .refused(Session),
    );
    all
}

/// Whether the first keepalive was due in so many seconds, give or take the time that passed meanwhile.
fn near(record: &ConnectionRecord, seconds: u64) -> bool {
    record.keepalive.is_some_and(|left| (seconds - 5..=seconds + 1).contains(&left))
}
