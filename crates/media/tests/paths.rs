//! A desk with two networks whose path goes dead, or whose address goes away: the call goes on by a second
//! connection, and the picture stands still only for a moment. The figures are printed; what is asserted is
//! twice the goal (R4: 3 s), because a test machine is busy.

mod common;
#[path = "common/network.rs"]
mod network;

use common::{Events, FarEnd, PATIENCE, Screen, config, start};
use network::Namespace;
use sightline_media::{MediaEvent, Session};
use std::{
    net::IpAddr,
    sync::{Arc, mpsc::Receiver},
    time::{Duration, Instant},
};

const CUSTOMER: &str = "10.77.9.9";
const LONGEST_FREEZE: Duration = Duration::from_secs(6);

/// Desk -- two networks -- middle -- customer.
struct Networks {
    desk: Namespace,
    middle: Namespace,
    customer: Namespace,
}

impl Networks {
    fn new(name: &str) -> Self {
        let [desk, middle, customer] = ["d", "m", "c"].map(|part| Namespace::new(&format!("{name}{part}")));
        desk.connect(("one", "10.77.1.1/24"), &middle, ("mone", "10.77.1.2/24"));
        desk.connect(("two", "10.77.2.1/24"), &middle, ("mtwo", "10.77.2.2/24"));
        middle.connect(("mc", "10.77.9.1/24"), &customer, ("c", "10.77.9.9/24"));
        desk.ip("route add default via 10.77.1.2 dev one metric 10");
        desk.ip("route add default via 10.77.2.2 dev two metric 20");
        customer.ip("route add default via 10.77.9.1");
        middle.set("net/ipv4/ip_forward", "1");
        Self { desk, middle, customer }
    }

    /// Everything over this network disappears silently, both ways.
    fn swallow(&self, network: &str) {
        self.middle.set(&format!("net/ipv4/conf/m{network}/forwarding"), "0");
        let address = if network == "one" { "10.77.1.1" } else { "10.77.2.1" };
        self.middle.ip(&format!("route add blackhole {address}/32"));
    }

    fn answer(&self, offer: &str) -> FarEnd {
        let ip: IpAddr = CUSTOMER.parse().expect("an address");
        self.customer.enter(|| FarEnd::answering_at(ip, offer))
    }
}

/// A running call over one of the networks.
struct Call {
    session: Session,
    _screen: Arc<Screen>,
    ours: Receiver<u32>,
    events: Events,
    far: FarEnd,
}

impl Call {
    fn new(networks: &Networks) -> Self {
        let (session, screen, ours, mut events) = networks.desk.enter(|| start(config()));
        session.offer(1);
        let far = networks.answer(&events.offer());
        session.answer(1, far.answer.clone());
        session.admit(1);
        events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));
        for barcodes in [&ours, &far.barcodes] {
            pictures(barcodes, 30);
        }
        Self {
            session,
            _screen: screen,
            ours,
            events,
            far,
        }
    }

    /// The network that it uses: ICE may choose either.
    fn network(&self, networks: &Networks) -> &'static str {
        let before = ["one", "two"].map(|name| networks.desk.sent(name));
        pictures(&self.far.barcodes, 15);
        let [one, two] = ["one", "two"].map(|name| networks.desk.sent(name));
        if one - before[0] > two - before[1] {
            "one"
        } else {
            "two"
        }
    }

    /// Plays the rules' and the page's part: a lost path is answered by a second connection. Returns how long
    /// the picture stood still at the desk and at the customer.
    fn survives(mut self, networks: &Networks, cut: impl FnOnce()) -> (Duration, Duration) {
        while self.ours.try_recv().is_ok() {}
        while self.far.barcodes.try_recv().is_ok() {}
        cut();
        let begin = Instant::now();
        self.events
            .wait_for(|event| matches!(event, MediaEvent::Path { up: false }).then_some(()));
        let noticed = begin.elapsed();
        self.session.offer(2);
        let second = networks.answer(&self.events.offer());
        self.session.answer(2, second.answer.clone());
        self.session.admit(2);
        self.events
            .wait_for(|event| matches!(event, MediaEvent::Connected { negotiation: 2 }).then_some(()));
        // What was on its way when the path was cut, or came before that was noticed, is not the new picture.
        while self.ours.try_recv().is_ok() {}
        self.ours
            .recv_timeout(PATIENCE)
            .expect("the customer's picture goes on");
        let at_desk = begin.elapsed();
        second
            .barcodes
            .recv_timeout(PATIENCE)
            .expect("our picture goes on at the customer");
        let at_customer = begin.elapsed();
        println!("noticed after {noticed:?}; still for {at_desk:?} at the desk, {at_customer:?} at the customer");
        for barcodes in [&self.ours, &second.barcodes] {
            pictures(barcodes, 30);
        }
        (at_desk, at_customer)
    }
}

/// So many more of them come.
fn pictures(barcodes: &Receiver<u32>, count: usize) {
    for _ in 0..count {
        barcodes.recv_timeout(PATIENCE).expect("pictures keep coming");
    }
}

#[test]
fn a_path_that_swallows_everything_is_replaced() {
    let networks = Networks::new("hole");
    let call = Call::new(&networks);
    let network = call.network(&networks);
    let (desk, customer) = call.survives(&networks, || networks.swallow(network));
    assert!(desk < LONGEST_FREEZE && customer < LONGEST_FREEZE);
}

#[test]
fn an_address_that_goes_away_is_replaced() {
    let networks = Networks::new("addr");
    let call = Call::new(&networks);
    let network = call.network(&networks);
    let (desk, customer) = call.survives(&networks, || {
        networks.desk.ip(&format!("link set {network} down"));
    });
    assert!(desk < LONGEST_FREEZE && customer < LONGEST_FREEZE);
}

/// `make soak CASE=paths`: R4 over many runs, half of them a path that swallows everything, half an address that goes.
#[test]
#[ignore = "takes minutes: part of make soak"]
fn nineteen_of_twenty_lost_paths_stop_the_picture_for_three_seconds_at_most() {
    let runs: usize = std::env::var("SIGHTLINE_SOAK_RUNS").map_or(40, |runs| runs.parse().expect("a number"));
    let mut freezes: Vec<Duration> = (0..runs)
        .map(|run| {
            let networks = Networks::new(&format!("lost{run}"));
            let call = Call::new(&networks);
            let network = call.network(&networks);
            let (desk, customer) = call.survives(&networks, || match run % 2 {
                0 => networks.swallow(network),
                _ => networks.desk.ip(&format!("link set {network} down")),
            });
            desk.max(customer)
        })
        .collect();
    freezes.sort_unstable();
    let share = |share: f64| freezes[((runs as f64 * share).ceil() as usize).clamp(1, runs) - 1];
    let [half, most, longest] = [0.5, 0.95, 1.0].map(share);
    println!("{runs} lost paths: the picture stood still for {half:?} (p50), {most:?} (p95), {longest:?} (longest)");
    assert!(most <= Duration::from_secs(3), "R4: 3 s (p95)");
}

#[test]
fn an_address_that_is_new_is_offered() {
    let networks = Networks::new("new");
    let mut call = Call::new(&networks);
    networks.desk.ip("addr add 10.77.2.7/24 dev two");
    let candidate = call.events.wait_for(|event| match event {
        MediaEvent::Candidate {
            negotiation: 1,
            candidate,
        } => Some(candidate),
        _ => None,
    });
    assert!(candidate.contains(" 10.77.2.7 "), "{candidate}");
}
