//! A shard that takes orders from outside and tells what happens, both in batches. Not for threads or channels' ends: see `link`.

use std::collections::HashMap;
use std::sync::Arc;

use sip_registration::{Account, Attempt, Event, Goal, Key, Status};
use tokio::sync::{mpsc, oneshot};

use super::Member;
use crate::driver::Driver;

/// One order.
#[derive(Debug)]
pub(super) enum Command {
    Add(Member, Arc<Account>),
    Order(Member, Goal),
    Renew(Member, Arc<Account>),
    Interrupt(Member),
    Remove(Member),
    Status(Member, oneshot::Sender<Option<Status>>),
    Recycle(Box<Attempt>),
    /// What a mistake of ours would do.
    #[cfg(test)]
    Panic,
}

/// Runs a driver by orders until no more can come, then closes it.
pub(super) async fn obey(driver: Driver, mut given: mpsc::Receiver<Vec<Command>>, tell: mpsc::Sender<Vec<(Member, Event)>>) {
    let mut office = Office {
        driver,
        keys: HashMap::new(),
        members: HashMap::new(),
        telling: Vec::new(),
    };
    loop {
        // Orders are taken whether or not there is room for more events: nobody waits for somebody who waits.
        tokio::select! {
            commands = given.recv() => match commands {
                Some(commands) => commands.into_iter().for_each(|command| office.take(command)),
                None => break,
            },
            room = tell.reserve(), if !office.telling.is_empty() => match room {
                Ok(room) => room.send(std::mem::take(&mut office.telling)),
                Err(_) => break,
            },
            (key, event) = office.driver.next(), if office.telling.len() < AT_ONCE => office.hear(key, event),
        }
    }
    office.driver.close().await;
}

/// A driver, and who is who in it.
struct Office {
    driver: Driver,
    keys: HashMap<Member, Key>,
    members: HashMap<Key, Member>,
    telling: Vec<(Member, Event)>,
}

impl Office {
    fn take(&mut self, command: Command) {
        match command {
            Command::Add(member, account) => {
                let (registrant, now) = self.driver.registrant();
                let key = registrant.add(now, account);
                self.keys.insert(member, key);
                self.members.insert(key, member);
            }
            Command::Order(member, goal) => {
                if let Some(key) = self.keys.get(&member) {
                    self.driver.order(*key, goal);
                }
            }
            Command::Renew(member, account) => {
                if let Some(key) = self.keys.get(&member) {
                    let (registrant, now) = self.driver.registrant();
                    registrant.renew(now, *key, account);
                }
            }
            Command::Interrupt(member) => {
                if let Some(key) = self.keys.get(&member) {
                    let (registrant, now) = self.driver.registrant();
                    registrant.interrupt(now, *key);
                }
            }
            Command::Remove(member) => {
                if let Some(key) = self.keys.get(&member) {
                    let (registrant, now) = self.driver.registrant();
                    registrant.remove(now, *key);
                }
            }
            Command::Status(member, answer) => {
                let key = self.keys.get(&member).copied();
                let status = key.and_then(|key| self.driver.registrant().0.status(key));
                // Who asked may have gone.
                let _ = answer.send(status);
            }
            Command::Recycle(attempt) => self.driver.recycle(attempt),
            #[cfg(test)]
            Command::Panic => panic!("on purpose"),
        }
    }

    /// Takes an event, and those that are here with it.
    fn hear(&mut self, key: Key, event: Event) {
        self.tell(key, event);
        while self.telling.len() < AT_ONCE {
            let Some((key, event)) = self.driver.try_next() else { return };
            self.tell(key, event);
        }
    }

    fn tell(&mut self, key: Key, event: Event) {
        let Some(member) = self.members.get(&key).copied() else { return };
        if let Event::Removed = event {
            self.members.remove(&key);
            self.keys.remove(&member);
        }
        self.telling.push((member, event));
    }
}

/// How many orders or events go in one batch.
pub(super) const AT_ONCE: usize = 256;
