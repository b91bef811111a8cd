//! Which camera to use, and what to use while it is gone.

use super::{Camera, CameraFault, SYNTHETIC, list, open};

/// So many earlier choices are worth trying.
const OTHERS: usize = 4;

/// The chosen camera and those chosen before it, the newest first. An id of `None` is the system's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraChoice {
    chosen: Option<String>,
    others: Vec<String>,
}

/// How far down the list of a choice a camera is; 0 is the chosen one.
pub type Rank = usize;

impl CameraChoice {
    /// Falls back on `others`, the best first, and then on the system's default.
    pub fn new(chosen: Option<String>, others: Vec<String>) -> Self {
        let mut choice = Self { chosen, others };
        choice.tidy();
        choice
    }

    /// Another camera is chosen; the one before becomes the first to fall back on.
    pub fn choose(&mut self, id: Option<String>) {
        if id != self.chosen {
            self.others.splice(0..0, self.chosen.take());
            self.chosen = id;
            self.tidy();
        }
    }

    /// Opens the best camera that works and is better than `than`. Fails with what is wrong with the chosen one.
    pub fn open_better(&self, than: Option<Rank>) -> Result<(Rank, Box<dyn Camera>), CameraFault> {
        let mut first = None;
        for (rank, id) in self.ids().enumerate().take(than.unwrap_or(usize::MAX)) {
            match open(id) {
                Ok(camera) => return Ok((rank, camera)),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        Err(first.unwrap_or(CameraFault::Missing))
    }

    /// What the device list calls the camera of a rank.
    pub fn name(&self, rank: Rank) -> String {
        let id = self.ids().nth(rank).flatten();
        // The system's default is the first of the list.
        let listed = list().into_iter().find(|device| id.is_none_or(|id| device.id == id));
        listed.map_or_else(|| "Another camera".into(), |device| device.name)
    }

    /// The chosen camera and the others, for the settings.
    pub fn into_parts(self) -> (Option<String>, Vec<String>) {
        (self.chosen, self.others)
    }

    fn ids(&self) -> impl Iterator<Item = Option<&str>> {
        let default = self.chosen.is_some().then_some(None);
        let others = self.others.iter().map(|id| Some(id.as_str()));
        std::iter::once(self.chosen.as_deref()).chain(others).chain(default)
    }

    /// Nobody wants a customer to see the test picture unless they chose it just now.
    fn tidy(&mut self) {
        let mut seen = vec![SYNTHETIC.to_owned()];
        seen.extend(self.chosen.clone());
        self.others.retain(|id| {
            let fresh = !seen.contains(id);
            seen.push(id.clone());
            fresh
        });
        self.others.truncate(OTHERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(choice: &CameraChoice) -> Vec<&str> {
        choice.ids().map(|id| id.unwrap_or("default")).collect()
    }

    #[test]
    fn the_newest_choice_is_tried_first_and_the_default_last() {
        let mut choice = CameraChoice::default();
        assert_eq!(ids(&choice), ["default"]);
        for id in ["a", "b", "a", "c"] {
            choice.choose(Some(id.into()));
        }
        assert_eq!(ids(&choice), ["c", "a", "b", "default"]);
        choice.choose(None);
        assert_eq!(ids(&choice), ["default", "c", "a", "b"]);
    }

    #[test]
    fn the_test_picture_is_never_fallen_back_on_and_nothing_is_tried_twice() {
        let mut choice = CameraChoice::new(Some(SYNTHETIC.into()), vec!["a".into(), SYNTHETIC.into(), "a".into()]);
        assert_eq!(ids(&choice), [SYNTHETIC, "a", "default"]);
        choice.choose(Some("b".into()));
        assert_eq!(ids(&choice), ["b", "a", "default"]);
    }
}
