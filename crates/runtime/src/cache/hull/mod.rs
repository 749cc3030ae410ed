//! The hull cache: extreme-point search instead of a scan.
//!
//! Heads whose keys have been bit-equal since the first token share one index, and their values that have been bit-equal
//! share one array of sums. Nothing is assumed about which heads do: all start in one group, and every key and value is
//! compared with its group's; the first difference splits a group. At one token, all heads that leave a group with equal
//! keys stay together.

mod group;
mod keys;
mod store;
#[cfg(test)]
mod tests;
mod values;

use group::{Group, Trail};

use weightware_hull::Error;

use super::{Cache, Call, Full};

/// Groups of heads with equal keys, and where each head belongs.
#[derive(Debug)]
pub(crate) struct Hull {
    groups: Vec<Group>,
    members: Vec<Member>,
    /// Counts tokens from 1.
    token: u64,
}

/// A live head.
#[derive(Debug, Default)]
struct Member {
    group: usize,
    /// The streams of its two values within the group; none for a value that does not matter.
    streams: [Option<usize>; 2],
    trail: Trail,
}

impl Hull {
    /// A cache of heads of which the stated values matter.
    pub(crate) fn new(live: impl Iterator<Item = [bool; 2]>) -> Self {
        let members: Vec<Member> = live
            .map(|live| Member {
                streams: live.map(|live| live.then_some(0)),
                ..Member::default()
            })
            .collect();
        let values = members.iter().flat_map(|m| m.streams).flatten().count();
        Self {
            groups: vec![Group::new(members.len() as u32, values as u32)],
            members,
            token: 0,
        }
    }

    /// Groups of heads with equal keys, and streams of equal values within them.
    pub(crate) fn sharing(&self) -> (usize, usize) {
        let groups = self.groups.iter().filter(|g| g.members > 0);
        let streams = groups.clone().map(Group::streams).sum();
        (groups.count(), streams)
    }

    /// Takes a head to the group and the streams that its key and values belong to.
    fn place(&mut self, member: usize, call: &Call) -> Result<(), Error> {
        let token = self.token;
        let Member {
            group: old,
            streams,
            trail,
        } = &mut self.members[member];
        let old = *old;
        if self.groups[old].push_key(token, call.key)? {
            for (stream, value) in streams.iter_mut().zip(call.value) {
                if let Some(stream) = stream {
                    self.groups[old].push_value(token, old, stream, value);
                }
            }
            return Ok(());
        }
        let sibling = |g: &Group| g.split_off_from(token, old) && g.has_key(call.key);
        let new = match self.groups.iter().rposition(sibling) {
            Some(new) => new,
            None => {
                let new = self.groups[old].split(token, old, call.key)?;
                self.groups.push(new);
                self.groups.len() - 1
            }
        };
        *trail = Trail::default();
        self.members[member].group = new;
        let [from, to] = match self.groups.get_disjoint_mut([old, new]) {
            Ok(groups) => groups,
            Err(_) => unreachable!("a new group is another group"),
        };
        to.join(from);
        let streams = &mut self.members[member].streams;
        for (stream, value) in streams.iter_mut().zip(call.value) {
            if let Some(stream) = stream {
                *stream = to.move_value(token, from, (old, *stream), value);
            }
        }
        from.leave();
        Ok(())
    }
}

impl Cache for Hull {
    const EXACT: bool = true;

    fn begin(&mut self) {
        self.token += 1;
    }

    fn attend(
        &mut self,
        first: usize,
        calls: &[Call],
        answers: &mut [[f64; 2]],
    ) -> Result<(), Full> {
        for (i, (call, answer)) in calls.iter().zip(answers).enumerate() {
            // Numbers out of the domain do not come here: what can fail is the room.
            self.place(first + i, call).map_err(|_| Full(i))?;
            let member = &mut self.members[first + i];
            let group = &mut self.groups[member.group];
            *answer = group
                .answer(self.token, call.query, member.streams, &mut member.trail)
                .map_err(|_| Full(i))?;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.iter().map(Group::bytes).sum()
    }
}
