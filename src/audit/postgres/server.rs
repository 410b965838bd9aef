//! Where a PostgreSQL server is, and a connection to it that never waits for
//! ever: the server has its own limits, and where it does not answer at all the
//! connection is given up.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

use super::StoreError;

/// To connect, to each address of the server.
const CONNECT: Duration = Duration::from_secs(3);

/// For an answer. The limits of the session are below it, so that it is met only
/// where the server does not answer at all.
const ANSWER: Duration = Duration::from_secs(6);

/// For work on many rows: it is rare, and is waited for.
pub(super) const LONG: Duration = Duration::from_mins(10);

/// Unanswered bytes and silence on a connection.
const KEEPALIVE: Duration = Duration::from_secs(2);
const PROBES: u32 = 3;
const UNACKNOWLEDGED: Duration = Duration::from_secs(6);

/// What holds in a session whatever the server, the database and the role have
/// set: a commit is answered when it is on disk, each statement sees what was
/// committed before it, and nothing holds the log that has stopped.
const SESSION: &str = "
SET synchronous_commit = on;
SET default_transaction_isolation = 'read committed';
SET default_transaction_read_only = off;
SET idle_in_transaction_session_timeout = '5s';
";

/// Limits of a session that are set aside for work on many rows.
const LIMITS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '4s'";

/// A server, as the settings name it.
#[derive(Clone)]
pub struct Server(Config);

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names no user and no password.
        out.write_str("Server")
    }
}

impl Server {
    /// Of a URL. `plaintext` says that a connection over a network may go
    /// without encryption.
    ///
    /// # Errors
    /// What is wrong with it. It is not quoted: it may hold a password.
    pub fn parse(url: &str, plaintext: bool) -> Result<Self, &'static str> {
        let form = "not of the form postgres://user:password@host/database";
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(form);
        }
        let mut config: Config = url.parse().map_err(|_| form)?;
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        if hosts.is_empty() && addresses.is_empty() {
            return Err("it names no host");
        }
        if config.get_ssl_mode() == SslMode::Require {
            return Err("it wants TLS, which connections to the store do not have");
        }
        // An address goes before the name that stands beside it.
        let here = if addresses.is_empty() {
            hosts.iter().all(is_here)
        } else {
            addresses.iter().all(std::net::IpAddr::is_loopback)
        };
        if !here && !plaintext {
            return Err("its host is not this machine, and what is sent there is not encrypted: set \
                        audit.postgres_plaintext where the network between is trusted");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(KEEPALIVE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(KEEPALIVE);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(PROBES);
        }
        if config.get_application_name().is_none() {
            config.application_name("concord");
        }
        config.ssl_mode(SslMode::Disable);
        Ok(Self(config))
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

/// A connection.
pub(super) struct Session {
    pub(super) client: Client,
    /// None while it is dropped.
    runtime: Option<Runtime>,
    statements: HashMap<&'static str, Statement>,
    patience: Cell<Duration>,
    /// The server did not answer: what it may answer later is of no use.
    lost: Cell<bool>,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Session")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A runtime that is simply dropped waits for its threads, which ends the process where that is an async one.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Session {
    pub(super) fn open(server: &Server) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Down(format!("no connection: {error}")))?;
        let connecting = async {
            let (client, connection) = server.0.connect(NoTls).await?;
            // Its end is seen by the client too.
            tokio::spawn(connection);
            client.batch_execute(SESSION).await?;
            client.batch_execute(LIMITS).await?;
            let row =
                client.query_one("SELECT current_setting('fsync'), current_setting('server_encoding')", &[]).await?;
            Ok((client, row.try_get::<_, String>(0)?, row.try_get::<_, String>(1)?))
        };
        let patience = ANSWER.saturating_add(server.0.get_connect_timeout().copied().unwrap_or_default());
        let (client, fsync, encoding) = within(&runtime, patience, connecting).unwrap_or_else(|| Err(silent()))?;
        if fsync != "on" {
            let why = "fsync is off in this server: a loss of power would take records that were acknowledged";
            return Err(StoreError::Unusable(why.to_owned()));
        }
        if encoding != "UTF8" {
            return Err(StoreError::Unusable("the encoding of the database is not UTF8".to_owned()));
        }
        Ok(Self {
            client,
            runtime: Some(runtime),
            statements: HashMap::new(),
            patience: Cell::new(ANSWER),
            lost: Cell::new(false),
        })
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, StoreError> {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost.get()) else {
            return Err(StoreError::Down("the connection is lost".to_owned()));
        };
        within(runtime, self.patience.get(), answer).unwrap_or_else(|| {
            self.lost.set(true);
            Err(silent())
        })
    }

    /// How long an answer is waited for from here on; as long as ever where none
    /// is given.
    pub(super) fn be_patient(&self, patience: Option<Duration>) {
        self.patience.set(patience.unwrap_or(ANSWER));
    }

    /// Runs a statement that works on many rows, and can't stand in a
    /// transaction.
    pub(super) fn run_long(&self, sql: &str) -> Result<(), StoreError> {
        self.run("SET statement_timeout = 0; SET lock_timeout = 0")?;
        self.be_patient(Some(LONG));
        let outcome = self.run(sql);
        self.be_patient(None);
        outcome.and_then(|()| self.run(LIMITS))
    }

    /// A statement, prepared once a connection.
    pub(super) fn statement(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.client.prepare(sql))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql)?;
        self.wait(self.client.query(&statement, parameters))
    }

    pub(super) fn execute(&mut self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        self.wait(self.client.execute(&statement, parameters))
    }

    /// Runs a text of statements, whose rows are not read.
    pub(super) fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(sql))
    }
}

fn silent() -> StoreError {
    StoreError::Down("the server does not answer".to_owned())
}

/// An answer, where it comes within this time.
fn within<T>(
    runtime: &Runtime,
    patience: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Option<Result<T, StoreError>> {
    let answer = runtime.block_on(async { tokio::time::timeout(patience, answer).await });
    answer.ok().map(|answer| answer.map_err(StoreError::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_beyond_this_machine_is_refused_unless_the_settings_say_otherwise() {
        for (url, here) in [
            ("postgres://u:p@localhost/d", true),
            ("postgresql://u@127.0.0.1:5433/d", true),
            ("postgres://u@[::1]/d", true),
            ("postgres://u@%2Fvar%2Frun%2Fpostgresql/d", true),
            ("postgres:///d?host=/tmp&user=u", true),
            ("postgres://u@db.example.org/d?hostaddr=127.0.0.1", true),
            ("postgres://u:p@db.example.org/d", false),
            ("postgres://u:p@10.0.0.1/d", false),
            ("postgres://u@localhost,db.example.org/d", false),
            ("postgres://u@localhost/d?hostaddr=10.0.0.1", false),
        ] {
            let refused = Server::parse(url, false).err();
            assert_eq!(refused.is_none(), here, "{url}: {refused:?}");
            assert!(refused.is_none_or(|why| why.contains("audit.postgres_plaintext")), "{url}");
            assert!(Server::parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_without_being_quoted() {
        for url in [
            "",
            "localhost",
            "host=localhost user=secret",
            "mysql://u:secret@localhost/d",
            "postgres://u:secret@localhost:port/d",
            "postgres://u:secret@localhost/d?secret=1",
            "postgres:///d",
            "postgres://u:secret@localhost/d?sslmode=require",
        ] {
            let why = Server::parse(url, true).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
        let server = Server::parse("postgres://name:secret@localhost/d", false).unwrap();
        assert_eq!(format!("{server:?}"), "Server");
    }

    #[test]
    fn limits_of_a_url_stay_as_they_are() {
        let Server(config) =
            Server::parse("postgres://u@localhost/d?connect_timeout=9&keepalives_idle=7", false).unwrap();
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(9)));
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
        assert_eq!(config.get_keepalives_interval(), Some(KEEPALIVE));
    }
}
