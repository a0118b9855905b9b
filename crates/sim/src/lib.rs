//! A simulated world for `sip-registration`: virtual clock, lossy links, DNS zone, ladders, fuzz properties. For tests only.
//!
//! A [`World`] holds user agents (each a [`sip_registration::Registrant`]), registrars (each a [`sip_registrar::Registrar`]) and what
//! lies between them. It runs in the order of events, never waits, and draws every chance from one seed: equal seeds give equal
//! worlds, to the byte. When a test fails inside a world, the world says its seed.
//!
//! ```
//! use std::time::Duration;
//! use sip_registration::{Goal, Policy, State, Transport};
//! use sip_sim::{World, account, registrar};
//! let mut world = World::new(1);
//! world.record();
//! world.add_registrar(registrar(), &[(Transport::Udp, "192.0.2.1:5060".parse()?)]);
//! let agent = world.add_agent(Policy::default());
//! let alice = world.add(agent, account("alice", "sip:192.0.2.1"));
//! world.order(alice, Goal::Register);
//! world.run_for(Duration::from_secs(1));
//! assert_eq!(world.status(alice).map(|status| status.state), Some(State::Registered));
//! assert!(world.ladder().contains("401 Unauthorized"), "{}", world.ladder());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agent;
mod clock;
mod history;
mod link;
mod log;
mod multitude;
mod parties;
pub mod property;
mod queue;
mod server;
mod world;
mod zone;

pub use agent::{AgentId, Phone};
pub use history::History;
pub use link::{Link, Way};
pub use multitude::{Multitude, Tally};
pub use parties::{account, registrar};
pub use server::{Outage, RegistrarId};
pub use world::World;
pub use zone::Zone;
