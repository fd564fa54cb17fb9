//! What must be true once all is quiet (I1, I4, I6).

use std::{collections::BTreeMap, time::Duration};

use noom_signal::protocol::{LobbyRoom, PeerId};

use crate::{
    client::RESUME,
    op::{Op, ROOMS, Width},
    session::Session,
    world::{World, name},
};

/// How many times in a row clients come back before something must be wrong.
const ROUNDS: usize = 60;

impl World {
    /// Everybody comes back and reads, all that was under way ends, and every window passes.
    pub(crate) async fn quiet(&mut self) {
        if let Some(wires) = &self.wires {
            wires.calm();
        }
        for round in 0.. {
            assert!(round < ROUNDS, "clients do not get to stay");
            for client in 0..self.clients.len() {
                self.clients[client].go_on();
                if self.clients[client].link.is_none() {
                    self.act(Op::Resume(client, Width::Wide)).await;
                }
            }
            self.wait(Duration::from_secs(1)).await;
            if self.are_all_open() {
                self.wait(RESUME + Duration::from_secs(10)).await;
                if self.are_all_open() {
                    break;
                }
            }
        }
        self.clients.iter_mut().for_each(|client| client.ping());
        self.wait(Duration::from_secs(1)).await;
    }

    fn are_all_open(&self) -> bool {
        self.clients.iter().all(|client| client.is_open())
    }

    /// Holds the hubs and the clients against each other.
    pub(crate) fn check(&self) {
        for client in &self.clients {
            let link = client.link.as_ref().expect("a link that stays");
            let session = client.session.as_ref().expect("a session");
            assert_eq!(link.pings, 0, "no pong for {}", session.peer);
            assert!(session.waiting.is_empty(), "no answer to {:?}", session.waiting);
        }
        let sizes: Vec<usize> = ROOMS.iter().map(|room| self.check_room(room)).collect();
        for session in self.sessions() {
            self.check_lobby(session, &sizes);
        }
        for (node, hub) in self.hubs.iter().enumerate() {
            let here = self.clients.iter().filter(|client| client.node == node).count();
            let stats = hub.stats();
            assert_eq!((stats.connections, stats.peers), (here, here), "I6: {stats:?}");
        }
        self.book.ledger.settled();
    }

    /// The reference: a room's members are those clients that were told `joined`, and not `bye`.
    fn check_room(&self, room: &str) -> usize {
        let inside: Vec<(&Session, usize)> = self
            .clients
            .iter()
            .filter_map(|client| Some((client.session.as_ref()?, client.node)))
            .filter(|(session, _)| session.view.room(room).is_some())
            .collect();
        let peers: Vec<&PeerId> = inside.iter().map(|(session, _)| &session.peer).collect();
        for (node, hub) in self.hubs.iter().enumerate() {
            let members = hub.members(&name(room));
            if !inside.iter().any(|(_, at)| *at == node) {
                assert!(members.is_none(), "I1: node {node} holds on to {room}: {members:?}");
                continue;
            }
            let members: BTreeMap<PeerId, _> = members
                .expect("I1: the room of its peers")
                .into_iter()
                .map(|member| (member.peer, (member.since, member.meta)))
                .collect();
            assert!(
                members.keys().collect::<Vec<_>>() == sorted(&peers),
                "I1: {room} on {node}: {members:?} are not {peers:?}"
            );
            for (session, at) in &inside {
                let (_, meta) = &members[&session.peer];
                let metas = &session.metas[&name(room)];
                assert!(metas.contains(meta), "I1: {meta:?} of {metas:?}");
                let view = session.view.room(room).expect("its room");
                if *at == node {
                    let mut others: BTreeMap<PeerId, _> = members.clone();
                    let (since, _) = others.remove(&session.peer).expect("itself");
                    assert!(view.since.is_none_or(|own| own == since), "I1: since {since}");
                    let seen = view.others.iter();
                    let seen: BTreeMap<PeerId, _> = seen
                        .map(|(peer, other)| (peer.clone(), (other.since, other.meta.clone())))
                        .collect();
                    assert_eq!(seen, others, "I1: {room} for {}", session.peer);
                }
            }
        }
        let versions = inside.iter().map(|(session, _)| session.view.room(room).map(|v| v.version));
        let versions: Vec<_> = versions.collect();
        assert!(versions.windows(2).all(|two| two[0] == two[1]), "I2: {room}: {versions:?}");
        inside.len()
    }

    fn check_lobby(&self, session: &Session, sizes: &[usize]) {
        let Some(lobby) = session.lobby.as_ref().filter(|_| !session.lobby_unsure) else { return };
        let mut expected: Vec<LobbyRoom> = ROOMS
            .iter()
            .zip(sizes)
            .filter(|(_, size)| **size > 0)
            .map(|(room, size)| LobbyRoom { room: name(room), peers: *size as u32 })
            .collect();
        expected.sort_by(|a, b| b.peers.cmp(&a.peers).then_with(|| a.room.cmp(&b.room)));
        expected.truncate(self.hubs[0].limits().lobby_rooms);
        assert_eq!(*lobby, expected, "I1: the lobby of {}", session.peer);
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.clients.iter().filter_map(|client| client.session.as_ref())
    }

    /// Everybody is cut off: nothing is left of them once their windows have passed.
    pub(crate) async fn end(mut self) -> crate::book::Tally {
        self.clients.clear();
        self.wait(RESUME + Duration::from_secs(10)).await;
        for hub in &self.hubs {
            let stats = hub.stats();
            assert_eq!(
                (stats.connections, stats.peers, stats.rooms),
                (0, 0, 0),
                "I6: something is left"
            );
        }
        self.book.tally
    }
}

fn sorted<'a>(peers: &[&'a PeerId]) -> Vec<&'a PeerId> {
    let mut peers = peers.to_vec();
    peers.sort();
    peers
}
