//! Whether nothing was lost, nothing stands twice, and everything kept its order.

use super::{
    KILLS, Run, UNDERWAY,
    courier::Mishap,
    faults::{Fault, Proxy},
    kinds::{Kind, Talk},
    platforms::Told,
};
use sightline_store::{Store, deliveries};
use sightline_wire::{
    conversation::{Author, Body, Message},
    directline::ActivitySet,
};
use std::collections::BTreeMap;

impl Run {
    /// What was said stands in the conversation, once and in order.
    pub fn stands_once(&self, talk: &Talk, messages: &[Message]) {
        let by = |theirs: bool| -> Vec<&str> {
            let said = messages.iter().filter(|m| matches!(m.body, Body::Text { .. }));
            said.filter(|m| !matches!(m.author, Author::Agent { .. }) == theirs)
                .map(|m| m.body.text())
                .collect()
        };
        let mut theirs = by(true);
        let lines: Vec<_> = messages
            .iter()
            .filter(|m| matches!(m.body, Body::Event { .. }))
            .map(|m| m.body.text())
            .collect();
        match talk.kind {
            Kind::Bot => {
                assert_eq!(theirs.remove(0), "Hello!", "the bot's own words");
                assert_eq!(lines, ["The bot handed the conversation over"]);
            }
            Kind::Phone => assert_eq!(lines, ["The customer is on the phone", "The phone call is over"]),
            _ => assert_eq!(lines, [""; 0]),
        }
        assert_eq!(theirs, talk.arrived, "{}", talk.thread());
        assert_eq!(by(false), talk.agent, "{}", talk.thread());
        assert!(messages.iter().zip(1..).all(|(m, seq)| m.seq == seq), "a gap");
    }

    /// What was to go out went out in its order: as often as the platform asked for it, and once where it knows keys.
    pub async fn went_out_in_order(&self, talk: &Talk) {
        if let Some((page, token)) = &talk.page {
            let url = format!(
                "{}/v3/directline/conversations/{page}/activities",
                self.courier.hooks.server
            );
            let request = self.courier.http.get(url).bearer_auth(token);
            let set: ActivitySet = request.send().await.unwrap().json().await.unwrap();
            let texts = set.activities.iter().filter_map(|activity| activity.text.clone());
            let agents: Vec<_> = texts.filter(|text| talk.agent.contains(text)).collect();
            assert_eq!(agents, talk.agent, "{}", talk.thread());
            return;
        }
        let told = self.told(talk);
        let mut once: Vec<&str> = told.iter().map(|told| told.what.as_str()).collect();
        // A repeated call comes before the next one, so that copies stand beside each other.
        once.dedup();
        assert_eq!(once, talk.owed, "{}", talk.thread());
        for what in &talk.owed {
            let takings: Vec<_> = told.iter().filter(|told| told.what == *what).collect();
            let keys: Vec<_> = takings.iter().filter_map(|told| told.key.as_ref()).collect();
            if talk.kind.knows_keys() {
                assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "one key: {what}");
            }
            for pair in takings.windows(2) {
                let answered = pair[0].answered && pair[0].life == pair[1].life;
                assert!(!answered, "{what} was taken, the server heard so, and sent it again");
            }
        }
    }

    /// What is for one conversation reaches no other one.
    pub fn nobody_else_was_told(&self, talks: &[Talk]) {
        for (kind, platform) in &self.platforms {
            let theirs = talks.iter().filter(|talk| talk.kind == *kind).count();
            assert_eq!(platform.threads(), theirs, "{kind:?}");
        }
    }

    /// Without a lost answer something is only told twice when the server died before it had written down the first time.
    pub fn few_were_under_way(&self, talks: &[Talk]) {
        let mut twice: BTreeMap<Kind, usize> = BTreeMap::new();
        for talk in talks {
            let told = self.told(talk);
            let died = |pair: &&[Told]| pair[0].what == pair[1].what && pair[0].answered;
            *twice.entry(talk.kind).or_default() += told.windows(2).filter(died).count();
        }
        assert!(
            twice.values().all(|count| *count <= UNDERWAY * KILLS.len()),
            "{twice:?}"
        );
    }

    /// The outbox is empty, and no platform was told what no document describes.
    pub async fn nothing_is_left(&mut self) {
        self.program.take().unwrap().kill().await;
        let store = Store::open(&self.folder.database()).await.unwrap();
        let mut c = store.read().await.unwrap();
        assert_eq!(deliveries::counts(&mut c).await.unwrap(), []);
        for (kind, platform) in &self.platforms {
            assert_eq!(platform.strange(), Vec::<String>::new(), "{kind:?}");
        }
    }

    /// A run without faults would prove nothing.
    pub fn every_fault_was_met(&self) {
        let (made, met) = (self.made(), self.courier.met());
        for fault in Fault::ALL {
            assert!(made.contains_key(&fault), "{fault:?} never happened: {made:?}");
        }
        for mishap in Mishap::ALL {
            assert!(met.contains_key(&mishap), "{mishap:?} never happened: {met:?}");
        }
    }

    pub fn made(&self) -> BTreeMap<Fault, usize> {
        let mut all = BTreeMap::new();
        for (fault, count) in self.proxies.iter().flat_map(Proxy::made) {
            *all.entry(fault).or_default() += count;
        }
        all
    }
}
