//! Runs that failed once, as short as they could be made. Each is made many times over, for what the
//! wires do is not the same in each.

use crate::{
    Cluster, FAR_APART, Trouble, attempt,
    op::{
        Kind::Message,
        Op::{self, *},
    },
};

/// How often each run is made.
const TIMES: u64 = 60;

fn again(cluster: Cluster, ops: &[(Op, bool)]) {
    for seed in 0..TIMES {
        if let Err(why) = attempt(cluster, seed, ops) {
            panic!("seed {seed} of the wires: {why}");
        }
    }
}

fn misses() -> Cluster {
    Cluster::Troubled(Trouble { unavailable: 10, ..FAR_APART })
}

/// A room was forgotten while it held messages, and what their sender said elsewhere waited for ever.
#[test]
fn a_forgotten_room_holds_nothing_up() {
    let (late, last) = (Wait(597), Say(4, "one", Message, None));
    let said =
        [(Join(3, "three"), false), (Shout(4, "three", 17), false), (late, false), (last, true)];
    again(misses(), &said);
}

/// A session that was still on its way to one node was taken for lost by the next.
#[test]
fn a_client_that_goes_on_before_its_session_has_come() {
    let hops = [(Hop(3, 2), true), (Wait(140), false), (Wait(100), true), (Hop(3, 0), true)];
    again(Cluster::Troubled(FAR_APART), &hops);
}

/// A peer that moved while its node was in doubt was told nothing of the steps it had missed.
#[test]
fn a_move_while_the_room_is_fetched() {
    let hop = [(Hop(4, 0), false), (Wait(80), true), (Wait(120), false)];
    again(Cluster::Troubled(Trouble { gaps: 100, ..FAR_APART }), &hop);
}
