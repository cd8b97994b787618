//! The line score: how much a line looks like chrome, from its own shape and words and from those around it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a line looks like chrome: from 0, which is content, to 1, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", from = "f64")]
pub struct Score(u16);

impl Score {
    /// The score of so many thousandths; more than 1000 are 1000.
    pub fn from_thousandths(thousandths: u16) -> Self {
        Score(thousandths.min(1000))
    }

    /// How many thousandths it is.
    pub fn thousandths(self) -> u16 {
        self.0
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        f64::from(score.0) / 1000.0
    }
}

impl From<f64> for Score {
    /// The nearest score.
    fn from(value: f64) -> Self {
        let nearest = (value.clamp(0.0, 1.0) * 1000.0).round();
        Score((0..=1000).find(|thousandths| f64::from(*thousandths) >= nearest).unwrap_or(0))
    }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
