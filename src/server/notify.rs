//! What the service manager is told, in the protocol of systemd's `sd_notify`.
//! Where no manager listens, nothing is said.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// Variable that names the manager's socket.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// The manager, where there is one.
#[derive(Debug, Default)]
pub struct Notify(Option<(UnixDatagram, SocketAddr)>);

impl Notify {
    /// The one that the environment names.
    #[must_use]
    pub fn from_environment() -> Self {
        let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
            return Self(None);
        };
        match address(&name).and_then(|address| Ok((UnixDatagram::unbound()?, address))) {
            Ok(manager) => Self(Some(manager)),
            Err(error) => {
                tracing::warn!(%error, "the service manager can't be told: NOTIFY_SOCKET is no socket");
                Self(None)
            }
        }
    }

    /// The service serves, or has reloaded.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// The service reloads, and will be ready again.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1000));
    }

    /// The service ends.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, words: &str) {
        if let Some((socket, manager)) = &self.0
            && let Err(error) = socket.send_to_addr(words.as_bytes(), manager)
        {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }
}

#[cfg(target_os = "linux")]
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(not(target_os = "linux"))]
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_what_is_said_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notify = Notify(Some((UnixDatagram::unbound().unwrap(), address(path.as_os_str()).unwrap())));
        notify.ready();
        notify.reloading();
        notify.stopping();
        let hear = || {
            let mut words = [0; 128];
            let length = manager.recv(&mut words).unwrap();
            String::from_utf8_lossy(&words[..length]).into_owned()
        };
        assert_eq!(hear(), "READY=1");
        let reloading = hear();
        let (first, usec) = reloading.split_once("\nMONOTONIC_USEC=").unwrap();
        assert!(first == "RELOADING=1" && usec.parse::<u64>().unwrap() > 0, "{reloading}");
        assert_eq!(hear(), "STOPPING=1");
    }

    #[test]
    fn without_a_manager_nothing_is_said() {
        Notify::default().ready();
    }
}
