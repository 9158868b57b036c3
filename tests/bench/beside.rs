//! Rollcall beside itself: a list while check-ins come in, and everything with ten times the rows.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use uuid::Uuid;

use crate::{
    Load,
    data::Data,
    live::check_in,
    operations::{OPERATIONS, Operation},
    report::median,
    servers::Server,
};

/// Check-ins a second, at one organization, while its list is read.
const CHECK_INS: u32 = 50;

/// The list of an organization that takes check-ins, against the same without.
pub fn during_check_ins(load: Load<'_>, rounds: usize, server: &Server, data: &Data) {
    let list = &OPERATIONS[0];
    // At which no other check-ins are measured.
    let mut evenings = data.evenings[18..].iter();
    let (mut quiet, mut busy, mut made) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        quiet.push(rate(load, list, server, data));
        let event = *evenings.next().expect("an evening");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let door = scope.spawn(|| keep_checking_in(server, data, event, &over));
            busy.push(rate(load, list, server, data));
            over.store(true, Ordering::Relaxed);
            made += door.join().expect("the door");
        });
    }
    println!(
        "C {} during {CHECK_INS} check-ins a second ({made} made): {:.0}/s, {:.2} of the rate without",
        list.name,
        median(&busy),
        median(&busy) / median(&quiet)
    );
}

/// Every operation that reads, against the same with a tenth of the rows.
pub fn ten_times_the_rows(load: Load<'_>, rounds: usize, both: [(&Server, &Data); 2]) {
    for operation in OPERATIONS.iter().filter(|operation| !operation.writes) {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((server, data), rates) in both.iter().zip(&mut rates) {
                rates.push(rate(load, operation, server, data));
            }
        }
        let [usual, large] = rates.map(|rates| median(&rates));
        println!(
            "G {} with ten times the rows: {large:.0}/s, {:.2} of the rate with the usual",
            operation.name,
            large / usual
        );
    }
}

fn rate(load: Load<'_>, operation: &Operation, server: &Server, data: &Data) -> f64 {
    load.put_on(server, operation, &operation.variables(data, 0), data)
        .rate
}

/// Checks one patron after another in, whether or not those before are through, until it is `over`.
fn keep_checking_in(server: &Server, data: &Data, event: Uuid, over: &AtomicBool) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut pause = tokio::time::interval(Duration::from_secs(1) / CHECK_INS);
        let (mut patrons, mut under_way, mut made) =
            (data.patrons.iter(), FuturesUnordered::new(), 0);
        loop {
            tokio::select! {
                _ = pause.tick(), if !over.load(Ordering::Relaxed) => {
                    let patron = patrons.next().expect("a patron who is not here yet");
                    under_way.push(check_in(server, data, event, *patron));
                }
                Some(()) = under_way.next() => made += 1,
                else => return made,
            }
        }
    })
}
