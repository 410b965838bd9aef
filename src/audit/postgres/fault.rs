//! What went wrong, in words of our own: what the server says may quote a row, a
//! name or the way to reach it, and none of that belongs in a log.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::StoreError;

/// What to read about rights.
const GRANTS: &str = "section \"PostgreSQL\" of docs/audit.md says what to grant";

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if let Some(code) = error.code() {
            return of_code(code);
        }
        // What the library says of its own is one fixed text a kind, but for the name of a column.
        match error.to_string().as_str() {
            "authentication error" => Self::Unusable(
                "the server wants a password that is not set, or a way to authenticate that this program has not"
                    .to_owned(),
            ),
            "error performing TLS handshake" => {
                Self::Unusable("the connection is to be encrypted, and this program has no TLS for it".to_owned())
            }
            "invalid configuration"
                if error.source().is_some_and(|source| source.to_string().starts_with("password")) =>
            {
                Self::Unusable("the server wants a password that is not set".to_owned())
            }
            "invalid configuration" => Self::Unusable("its address is not complete".to_owned()),
            text if ["error deserializing column", "invalid column", "query returned"]
                .into_iter()
                .any(|begin| text.starts_with(begin)) =>
            {
                Self::Damaged("a table is not of the form that docs/audit.md gives".to_owned())
            }
            text => {
                match std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>()) {
                    Some(source) => Self::Down(format!("{text}: {source}")),
                    None => Self::Down(text.to_owned()),
                }
            }
        }
    }
}

/// What an error of the server means, by its SQLSTATE.
fn of_code(code: &SqlState) -> StoreError {
    let code = code.code();
    let class = code.get(..2).unwrap_or_default();
    let say = |what: &str| format!("{what} (SQLSTATE {code})");
    match (class, code) {
        ("28", _) => StoreError::Unusable(say("the server refuses the user or the password")),
        (_, "3D000") => StoreError::Unusable(say("there is no such database")),
        (_, "42501") => StoreError::Unusable(say(&format!("the user lacks a right: {GRANTS}"))),
        (_, "3F000") => StoreError::Unusable(say("the user has no schema to keep the tables in")),
        (_, "23505") => StoreError::Damaged(say("what is to be written is there already, and is something else")),
        ("42", _) => StoreError::Damaged(say("a table or a column is not there, or is another")),
        ("22" | "23", _) => StoreError::Damaged(say("a table does not take what it has to hold")),
        ("XX", "XX001" | "XX002") => StoreError::Damaged(say("the server found damage in its files")),
        (_, "25006") => StoreError::Down(say("the server only reads: it is a standby")),
        (_, "55P03") => StoreError::Down(say("another process holds the log")),
        (_, "57014") => StoreError::Down(say("the server took too long")),
        (_, "57P03") => StoreError::Down(say("the server is starting or stopping")),
        ("57", _) => StoreError::Down(say("the server closed the connection")),
        (_, "53100") => StoreError::Down(say("the disk of the server is full")),
        (_, "53300") => StoreError::Down(say("the server has no connection left")),
        ("53" | "54", _) => StoreError::Down(say("the server lacks memory or space")),
        ("58", _) => StoreError::Down(say("the server can't read or write its files")),
        (_, "25P03") => StoreError::Down(say("the server ended a transaction that was idle")),
        _ => StoreError::Down(say("the server refuses")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_server_is_told_by_what_can_be_done_about_it() {
        let down = ["08006", "57P01", "57P03", "57014", "53100", "53300", "55P03", "40P01", "25006", "58030", "XX000"];
        let damaged = ["23505", "23502", "22P02", "42P01", "42703", "42804", "XX001"];
        let unusable = ["28000", "28P01", "3D000", "42501", "3F000"];
        for code in down {
            let StoreError::Down(why) = of_code(&SqlState::from_code(code)) else { panic!("{code} passes") };
            assert!(why.ends_with(&format!("(SQLSTATE {code})")), "{why}");
        }
        for code in damaged {
            assert!(matches!(of_code(&SqlState::from_code(code)), StoreError::Damaged(_)), "{code}");
        }
        for code in unusable {
            assert!(matches!(of_code(&SqlState::from_code(code)), StoreError::Unusable(_)), "{code}");
        }
    }

    #[test]
    fn an_error_of_the_library_is_told_by_its_kind() {
        assert!(matches!(Error::__private_api_timeout().into(), StoreError::Down(_)));
        let error = "host=a no=b".parse::<tokio_postgres::Config>().unwrap_err();
        assert_eq!(StoreError::from(error), StoreError::Down("invalid connection string".to_owned()));
    }
}
