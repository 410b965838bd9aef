//! Peers whose word on who calls is believed.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::spiffe::{SpiffeFault, SpiffeId};

/// The peers: by address, or by the SPIFFE ID of their certificate.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    nets: Vec<IpNet>,
    ids: Vec<SpiffeId>,
}

/// Why an entry names no peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// Neither an address, nor a network, nor a SPIFFE ID.
    Form,
    /// A network with bits beyond its prefix: what is meant can't be told.
    Bits,
    /// Every address: anyone could say to be anyone.
    Everyone,
    /// A SPIFFE ID that is none.
    Id(SpiffeFault),
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Form => "must be an address, a network such as 10.1.0.0/16, or a SPIFFE ID",
            Self::Bits => "the address of a network has no bits beyond its prefix",
            Self::Everyone => "a network of every address would let anyone say to be anyone",
            Self::Id(fault) => return fault.fmt(out),
        })
    }
}

impl std::error::Error for ProxyFault {}

impl Proxies {
    /// Adds an entry: `127.0.0.1`, `10.1.0.0/16`, `spiffe://example.org/gateway`.
    ///
    /// # Errors
    /// [`ProxyFault`].
    pub fn add(&mut self, entry: &str) -> Result<(), ProxyFault> {
        if entry.starts_with("spiffe:") {
            self.ids.push(SpiffeId::parse(entry).map_err(ProxyFault::Id)?);
            return Ok(());
        }
        let net = match entry.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => entry.parse::<IpNet>().map_err(|_| ProxyFault::Form)?,
        };
        if net.prefix_len() == 0 {
            return Err(ProxyFault::Everyone);
        }
        if net.trunc() != net {
            return Err(ProxyFault::Bits);
        }
        self.nets.push(net);
        Ok(())
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nets.is_empty() && self.ids.is_empty()
    }

    /// The SPIFFE IDs among them.
    pub fn ids(&self) -> impl Iterator<Item = &SpiffeId> {
        self.ids.iter()
    }

    /// Is a peer of this address one of them? A socket of both families shows an
    /// address of the one as one of the other.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.nets.iter().any(|net| net.contains(&address))
    }

    /// Is a peer of this ID one of them?
    #[must_use]
    pub fn has_id(&self, id: &SpiffeId) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_by_its_address_or_its_id() {
        let mut proxies = Proxies::default();
        assert!(proxies.is_empty());
        for entry in ["127.0.0.1", "10.1.0.0/16", "fd00::/8", "spiffe://example.org/gateway"] {
            proxies.add(entry).unwrap();
        }
        let has = |address: &str| proxies.has_address(address.parse().unwrap());
        assert!(has("127.0.0.1") && has("10.1.255.255") && has("fd12::1") && has("::ffff:10.1.0.7"));
        assert!(!has("127.0.0.2") && !has("10.2.0.0") && !has("::1") && !has("::ffff:10.2.0.7"));
        let id = |text: &str| SpiffeId::parse(text).unwrap();
        assert!(proxies.has_id(&id("spiffe://example.org/gateway")));
        assert!(!proxies.has_id(&id("spiffe://example.org/gateway/b")));
        for (entry, fault) in [
            ("0.0.0.0/0", ProxyFault::Everyone),
            ("::/0", ProxyFault::Everyone),
            ("10.1.2.3/16", ProxyFault::Bits),
            ("10.1.0.0/33", ProxyFault::Form),
            ("localhost", ProxyFault::Form),
            ("", ProxyFault::Form),
            ("spiffe://example.org", ProxyFault::Id(SpiffeFault::NoPath)),
        ] {
            assert_eq!(proxies.add(entry), Err(fault), "{entry}");
        }
    }
}
