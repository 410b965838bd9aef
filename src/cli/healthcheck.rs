//! `concord healthcheck`: is the server of these settings, on this machine,
//! SERVING? For containers and probes that can't speak gRPC or TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;

use super::settings::{SettingsArguments, Unusable};
use super::{Exit, complain};
use crate::server::probe;

/// Time that the server has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Service to ask for; `liveness` asks whether the process answers at all.
    #[arg(long, value_name = "NAME", default_value = "")]
    service: String,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match check(arguments) {
        Ok(Ok(true)) => Exit::Fine,
        Ok(Ok(false)) => {
            complain("NOT_SERVING");
            Exit::Failed
        }
        Ok(Err(why)) => {
            complain(why);
            Exit::Failed
        }
        Err(Unusable(message)) => {
            complain(message);
            Exit::Unusable
        }
    }
}

fn check(arguments: &Arguments) -> Result<Result<bool, String>, Unusable> {
    let settings = arguments.settings.load(Vec::new())?.settings;
    let address = near(settings.server.grpc_addr);
    if address.port() == 0 {
        return Err(Unusable("server.grpc_addr: port 0 is a port that no one else knows".to_owned()));
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Unusable(format!("no runtime: {error}")))?;
    let files = settings.tls.files();
    let answer = runtime.block_on(probe::serving(address, &arguments.service, files.as_ref(), PATIENCE));
    Ok(answer.map_err(|why| format!("{address}: {why}")))
}

/// Who listens on every address listens on loopback too.
fn near(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_loopback() {
        for (listens, asked) in
            [("0.0.0.0:50051", "127.0.0.1:50051"), ("[::]:50051", "[::1]:50051"), ("192.0.2.1:1", "192.0.2.1:1")]
        {
            assert_eq!(near(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
