//! Numbered messages while the links are cut at every possible place.

use super::*;

/// How many seeds are tried.
const SEEDS: u64 = 60;
/// How much happens in each.
const STEPS: u64 = 150;
/// Far longer than any of it takes, in virtual time.
const PATIENCE: Duration = Duration::from_secs(50_000);
/// Ends the numbers.
const END: u64 = u64::MAX;

#[test]
fn once_and_in_order_wherever_the_link_is_cut() {
    for seed in 1..=SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        println!("seed {seed}");
        let ended = runtime.block_on(async { timeout(PATIENCE, run(seed)).await });
        assert!(ended.is_ok(), "seed {seed}: something never came");
    }
}

async fn run(seed: u64) {
    let random = Random::seeded(seed);
    let hub = hub(|limits| {
        limits.resume = Duration::from_secs(100_000);
        limits.resume_frames = 4096;
    });
    let cables = [0, 1].map(|_| Cable::with_random(&hub, random.clone()));
    let mut clients = Vec::new();
    let mut listeners = Vec::new();
    for cable in &cables {
        let limits = ClientLimits { events: 16, ..ClientLimits::default() };
        let (client, mut events) = connect_with(cable, Token::None, limits).await.unwrap();
        client.join(&room(), None, None).await.unwrap();
        listeners.push(tokio::spawn(async move {
            let mut got = Vec::new();
            loop {
                match numbers(&mut events, 1).await[0] {
                    END => return got,
                    n => got.push(n),
                }
            }
        }));
        clients.push(client);
    }
    let mut sent = [0, 0];
    let mut replies = Vec::new();
    for _ in 0..STEPS {
        let who = random.below(2) as usize;
        match random.below(10) {
            0..6 => {
                let to = match random.below(2) {
                    0 => Target::Everyone,
                    _ => Target::Peer(clients[1 - who].peer()),
                };
                replies.push(clients[who].send(&room(), to, number(sent[who])));
                sent[who] += 1;
            }
            6 => cables[who].cut(Cut::Break),
            7 => match random.below(3) {
                0 => cables[who].cut(Cut::Swallow),
                _ => clients[who].disconnect(),
            },
            8 => cables[who].lead_to((random.below(5) > 0).then_some(&hub)),
            _ => sleep(Duration::from_millis(random.below(30_000))).await,
        }
        for _ in 0..random.below(12) {
            tokio::task::yield_now().await;
        }
    }
    for (client, cable) in clients.iter().zip(&cables) {
        cable.lead_to(Some(&hub));
        replies.push(client.send(&room(), Target::Everyone, number(END)));
    }
    for reply in replies {
        assert_eq!(reply.await, Ok(()), "seed {seed}");
    }
    for (who, listener) in listeners.into_iter().enumerate() {
        let wanted: Vec<u64> = (0..sent[1 - who]).collect();
        assert_eq!(listener.await.unwrap(), wanted, "seed {seed}");
    }
}
