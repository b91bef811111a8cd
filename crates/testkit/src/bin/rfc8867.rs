//! `rfc8867 [--json] [--curve] [--seeds N] [CASE...]`: RFC 8867's cases with the product's engine core, in virtual
//! time. Prints one line for each run, JSON with `--json`.

use sightline_testkit::rfc8867::{Outcome, case_5_1, case_5_3, case_5_6, case_5_8};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut curve, mut seeds, mut wanted) = (false, false, 10, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--curve" => curve = true,
            "--seeds" => seeds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(seeds),
            case => wanted.push(case.to_owned()),
        }
    }
    type Case = fn(u64) -> Outcome;
    let cases: [(&str, Case); 4] = [
        ("5.1", case_5_1),
        ("5.3", case_5_3),
        ("5.6", case_5_6),
        ("5.8", case_5_8),
    ];
    for (name, case) in cases {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        for seed in 1..=seeds {
            let mut outcome = case(seed);
            if !curve {
                outcome.flows.iter_mut().for_each(|flow| flow.curve.clear());
            }
            if json {
                println!("{}", serde_json::to_string(&outcome).expect("figures are JSON"));
            } else {
                print(&outcome);
            }
        }
    }
}

fn print(outcome: &Outcome) {
    for flow in &outcome.flows {
        let periods: Vec<String> = flow
            .periods
            .iter()
            .map(|period| {
                let after = period
                    .reached_after
                    .map_or("never".into(), |after| format!("{after:.1} s"));
                format!(
                    "{:.2} Mbit/s: {after}, {:.0} %",
                    period.capacity / 1e6,
                    period.used * 100.0
                )
            })
            .collect();
        println!(
            "{} seed {} {}: {} | queue p50 {:.0} p95 {:.0} ms | freeze {:.0} ms | {:.1} fps{}{}",
            outcome.case,
            outcome.seed,
            flow.name,
            periods.join("; "),
            flow.queue_p50_ms,
            flow.queue_p95_ms,
            flow.longest_freeze_ms,
            flow.fps,
            outcome
                .tcp_share
                .map_or(String::new(), |share| format!(" | TCP {:.0} %", share * 100.0)),
            outcome
                .goal_met
                .map_or("", |met| if met { " | met" } else { " | NOT MET" }),
        );
        for (n, rates) in flow.curve.chunks(10).enumerate() {
            println!("  {n:3} s {:5} kbit/s", rates[rates.len() - 1] / 1_000);
        }
    }
}
