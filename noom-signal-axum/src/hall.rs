//! Where connections are until they are WebSockets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// A hall with so many places. When it is full, whoever has been idle in it longest has to make
/// room, so that those who never say what they want cannot keep out those who do.
#[derive(Debug)]
pub(crate) struct Hall {
    places: usize,
    inside: Mutex<Inside>,
    /// A place has come free. Only [`Hall::enter`] waits for it.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    guests: usize,
    /// Those who wait for nothing but their own clients, by the turn at which they began to.
    idle: BTreeMap<u64, Idle>,
    turns: u64,
}

#[derive(Debug)]
struct Idle {
    since: Instant,
    out: Arc<Notify>,
}

/// One connection's place. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Guest {
    hall: Arc<Hall>,
    out: Arc<Notify>,
    /// The key among the idle, while it is one of them.
    turn: Mutex<Option<u64>>,
}

/// A guest is being served, and not shown out meanwhile.
#[derive(Debug)]
pub(crate) struct Served(Arc<Guest>);

/// What an honest client has to send its request, however full it is: most need a round trip.
const COURTESY: Duration = Duration::from_secs(1);

impl Hall {
    /// 0 places: any number.
    pub(crate) fn new(places: usize) -> Arc<Self> {
        let places = if places == 0 { usize::MAX } else { places };
        Arc::new(Self { places, inside: Mutex::default(), freed: Notify::new() })
    }

    /// Takes a place, for which somebody else may have to go. One caller at a time.
    pub(crate) async fn enter(self: &Arc<Self>) -> Arc<Guest> {
        loop {
            let next_try = {
                let mut inside = lock(&self.inside);
                if inside.guests < self.places {
                    inside.guests += 1;
                    break;
                }
                match inside.idle.first_entry() {
                    Some(oldest) if oldest.get().since.elapsed() >= COURTESY => {
                        oldest.remove().out.notify_one();
                        None
                    }
                    Some(oldest) => Some(oldest.get().since + COURTESY),
                    None => None,
                }
            };
            match next_try {
                None => self.freed.notified().await,
                Some(next_try) => tokio::select! {
                    () = self.freed.notified() => {}
                    () = sleep_until(next_try) => {}
                },
            }
        }
        let (hall, out) = (self.clone(), Arc::new(Notify::new()));
        let guest = Arc::new(Guest { hall, out, turn: Mutex::new(None) });
        guest.idle();
        guest
    }

    /// Shows out all who have been idle for longer than courtesy asks for.
    pub(crate) fn clear(&self) {
        lock(&self.inside).idle.retain(|_, idle| {
            let stays = idle.since.elapsed() < COURTESY;
            if !stays {
                idle.out.notify_one();
            }
            stays
        });
    }
}

impl Guest {
    /// Its request is there: it is being served until what this returns is dropped.
    pub(crate) fn serve(self: &Arc<Self>) -> Served {
        self.not_idle();
        Served(self.clone())
    }

    /// Whether it waits for nothing but its own client.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.turn).is_some()
    }

    /// It has to go.
    pub(crate) async fn shown_out(&self) {
        self.out.notified().await;
    }

    fn idle(&self) {
        let mut inside = lock(&self.hall.inside);
        inside.turns += 1;
        let turn = inside.turns;
        inside.idle.insert(turn, Idle { since: Instant::now(), out: self.out.clone() });
        *lock(&self.turn) = Some(turn);
    }

    fn not_idle(&self) {
        let mut inside = lock(&self.hall.inside);
        if let Some(turn) = lock(&self.turn).take() {
            inside.idle.remove(&turn);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.idle();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.not_idle();
        lock(&self.hall.inside).guests -= 1;
        self.hall.freed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, poll};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_makes_room_after_a_second() {
        let hall = Hall::new(2);
        let (first, second) = (hall.enter().await, hall.enter().await);
        // What has been asked for and answered since counts as new.
        drop(first.serve());
        let begin = Instant::now();
        let mut third = Box::pin(hall.enter());
        assert!(poll!(&mut third).is_pending());
        assert!(second.shown_out().now_or_never().is_none());
        tokio::select! {
            _ = &mut third => panic!("the place is not free yet"),
            () = second.shown_out() => {}
        }
        assert_eq!(begin.elapsed(), COURTESY);
        assert!(poll!(&mut third).is_pending());
        drop(second);
        let _third = third.await;
        assert!(first.shown_out().now_or_never().is_none());
        assert_eq!(lock(&hall.inside).guests, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_served_stays() {
        let hall = Hall::new(1);
        let guest = hall.enter().await;
        let served = guest.serve();
        let mut next = Box::pin(hall.enter());
        let hour = tokio::time::timeout(Duration::from_secs(3600), &mut next);
        assert!(hour.await.is_err());
        hall.clear();
        assert!(guest.shown_out().now_or_never().is_none());
        drop((served, guest));
        let guest = next.await;
        assert_eq!(lock(&hall.inside).idle.len(), 1);
        hall.clear();
        assert!(guest.shown_out().now_or_never().is_none());
        tokio::time::advance(COURTESY).await;
        hall.clear();
        assert!(guest.shown_out().now_or_never().is_some());
        drop(guest);
        let inside = lock(&hall.inside);
        assert_eq!((inside.guests, inside.idle.len()), (0, 0));
    }

    #[tokio::test]
    async fn without_a_limit() {
        let hall = Hall::new(0);
        let guests: Vec<_> = futures_util::future::join_all((0..100).map(|_| hall.enter())).await;
        assert_eq!(guests.len(), 100);
    }
}
