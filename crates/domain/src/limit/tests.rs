use proptest::prelude::*;

use super::{memory::MOST, *};

const RULE: Rule = Rule::new("rule", 3, TimeDelta::minutes(1));

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("an instant")
}

fn limits(clock: &Clock) -> Limits {
    Limits::new(clock.clone(), None).expect("no URL")
}

/// Seconds to wait; none for a try that was taken.
async fn wait_for(limits: &Limits, key: &str) -> Option<u32> {
    match limits.take(&RULE, key).await {
        Ok(()) => None,
        Err(Error::Limited { after }) => Some(after),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_burst_then_the_pace() {
    let clock = Clock::fixed(start());
    let limits = limits(&clock);
    for (second, expected) in [
        (0, None),
        (0, None),
        (1, None),
        (1, Some(19)),
        (19, Some(1)),
        (20, None),
        (20, Some(20)),
        (59, None),
        (60, None),
        (60, Some(20)),
        // All is forgiven after a minute of rest, and no more than all.
        (1000, None),
        (1000, None),
        (1000, None),
        (1000, Some(20)),
    ] {
        clock.set(start() + TimeDelta::seconds(second));
        assert_eq!(wait_for(&limits, "ada").await, expected, "second {second}");
    }
    assert_eq!(wait_for(&limits, "bo").await, None, "each key by itself");
    let other = Rule::new("other", 1, TimeDelta::hours(1));
    assert!(limits.take(&other, "ada").await.is_ok(), "each rule, too");
    let refused = limits.take(&other, "ada").await;
    assert!(
        matches!(refused, Err(Error::Limited { after: 3600 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_is_off_refuses_and_delays_nothing() {
    let limits = Limits::off();
    for _ in 0..100 {
        assert_eq!(wait_for(&limits, "ada").await, None);
        let delayed = limits.slow_down(&RULE, "ada");
        let at_once = tokio::time::timeout(Duration::from_millis(500), delayed);
        assert!(at_once.await.is_ok_and(|done| done.is_ok()));
    }
}

proptest! {
    /// Whenever the tries come: in no window of any length are more taken than the burst and the pace
    /// allow for it, and whoever waits as long as told is taken.
    #[test]
    fn no_window_holds_more_than_the_rule(pauses in prop::collection::vec(0_i64..40_000, 1..60)) {
        let memory = Memory::default();
        let mut now = start().timestamp_millis();
        let mut taken = Vec::new();
        for pause in pauses {
            now += pause;
            let over = memory.add("key".to_owned(), now, &RULE) - RULE.burst;
            if over <= 0 {
                taken.push(now);
            } else {
                prop_assert!(over <= RULE.pace);
            }
        }
        for (first, from) in taken.iter().enumerate() {
            for (last, until) in taken.iter().enumerate().skip(first) {
                let most = 3 + (until - from) / RULE.pace;
                prop_assert!(i64::try_from(last - first).expect("few") < most);
            }
        }
    }
}

#[test]
fn from_the_third_on_a_try_waits_twice_as_long_up_to_a_bound() {
    let seconds = |tries| wait(tries).map(|wait| wait.as_secs());
    let waits: Vec<_> = (0..9).map(seconds).collect();
    let expected = [
        None,
        None,
        None,
        Some(1),
        Some(2),
        Some(4),
        Some(8),
        Some(8),
        Some(8),
    ];
    assert_eq!(waits, expected);
    assert_eq!(seconds(i64::from(u32::MAX)), Some(8));
}

#[tokio::test]
async fn a_row_is_slowed_down_and_ends_when_one_goes_well() {
    let clock = Clock::fixed(start());
    let limits = limits(&clock);
    let slow = async |key: &'static str| {
        let began = std::time::Instant::now();
        limits
            .slow_down(&WRONG_PASSWORDS, key)
            .await
            .expect("a turn");
        began.elapsed()
    };
    slow("ada").await;
    slow("ada").await;
    assert!(slow("ada").await >= Duration::from_secs(1));
    // Another key neither waits nor ends the row.
    let others = tokio::time::timeout(Duration::from_millis(900), slow("bo"));
    assert!(others.await.is_ok());
    limits.forgive(&WRONG_PASSWORDS, "bo").await;
    assert!(slow("ada").await >= Duration::from_secs(2));
    limits.forgive(&WRONG_PASSWORDS, "ada").await;
    let again = tokio::time::timeout(Duration::from_millis(900), slow("ada"));
    assert!(again.await.is_ok(), "a row begins anew");
}

#[tokio::test]
async fn only_so_many_wait_at_a_time() {
    let clock = Clock::fixed(start());
    let limits = limits(&clock);
    let waiting: Vec<_> = (0..WAITING + 2)
        .map(|_| {
            let limits = limits.clone();
            tokio::spawn(async move { limits.slow_down(&WRONG_PASSWORDS, "ada").await })
        })
        .collect();
    while limits.0.as_ref().expect("on").waiting.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let refused = limits.slow_down(&WRONG_PASSWORDS, "ada").await;
    assert!(
        matches!(refused, Err(Error::Limited { after: 8 })),
        "{refused:?}"
    );
    // Who is not to wait is let through.
    assert!(limits.slow_down(&WRONG_PASSWORDS, "bo").await.is_ok());
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn counters_are_bounded_and_forget_whoever_waits_shortest() {
    let clock = Clock::fixed(start());
    let limits = limits(&clock);
    while wait_for(&limits, "ada").await.is_none() {}
    for number in 0..2 * MOST {
        assert_eq!(wait_for(&limits, &number.to_string()).await, None);
    }
    assert!(wait_for(&limits, "ada").await.is_some());
    let counters = limits.0.as_ref().expect("on");
    assert!(counters.memory.len() <= MOST);
    clock.set(start() + TimeDelta::minutes(1));
    for number in 0..=MOST {
        wait_for(&limits, &format!("later {number}")).await;
    }
    assert!(counters.memory.len() <= MOST);
}

#[test]
fn an_ipv6_client_is_its_network() {
    for (one, other, same) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("::1", "192.0.2.1", false),
    ] {
        assert_eq!(network(one) == network(other), same, "{one} {other}");
    }
}
