//! Who calls, and what they may do.

mod peer;

pub use self::peer::Peer;
