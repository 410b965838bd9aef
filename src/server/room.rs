//! How many connections there may be, in all and of one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Room for connections.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    most: usize,
    most_of_peer: usize,
    by_peer: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    peer: IpAddr,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// `server.max_connections`.
    Of,
    /// `server.max_connections_per_peer`.
    OfPeer,
}

impl Room {
    pub(super) fn new(most: u32, most_of_peer: u32) -> Self {
        let count = |most| usize::try_from(most).unwrap_or(usize::MAX);
        Self(Arc::new(Taken { most: count(most), most_of_peer: count(most_of_peer), by_peer: Mutex::default() }))
    }

    /// A place for a connection from `address`.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let peer = peer(address);
        let mut places = self.0.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if places.all >= self.0.most {
            return Err(Full::Of);
        }
        let count = places.by_peer.entry(peer).or_default();
        if *count >= self.0.most_of_peer {
            return Err(Full::OfPeer);
        }
        *count += 1;
        places.all += 1;
        Ok(Place { room: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.room.0.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        places.all = places.all.saturating_sub(1);
        if let Some(count) = places.by_peer.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                places.by_peer.remove(&self.peer);
            }
        }
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn there_is_room_for_so_many_in_all_and_of_each_peer() {
        let room = Room::new(3, 2);
        let first = room.take(ip("10.0.0.1")).unwrap();
        let second = room.take(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(room.take(ip("10.0.0.1")).unwrap_err(), Full::OfPeer);
        let third = room.take(ip("2001:db8::1")).unwrap();
        assert_eq!(room.take(ip("10.0.0.2")).unwrap_err(), Full::Of);
        drop(first);
        let fourth = room.take(ip("2001:db8::2")).unwrap();
        drop(second);
        assert_eq!(room.take(ip("2001:db8::3")).unwrap_err(), Full::OfPeer);
        drop((third, fourth));
        assert!(room.0.by_peer.lock().unwrap().by_peer.is_empty());
    }
}
