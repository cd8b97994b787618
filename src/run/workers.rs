//! Workers: threads that take numbered jobs in order.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The threads of a run.
#[derive(Debug)]
pub(super) struct Workers {
    pool: rayon::ThreadPool,
}

/// Lets a job end the handing out of jobs. Those that were handed out are finished, so all jobs before any finished one
/// are finished too.
#[derive(Debug, Default)]
pub(super) struct Stop(AtomicBool);

impl Stop {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Workers {
    /// Starts so many threads, or one for each processor.
    pub(super) fn start(n_threads: Option<usize>) -> Result<Self> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(n_threads.unwrap_or(0));
        let pool = builder
            .build()
            .map_err(|error| Error::usage(format!("threads cannot be started: {error}; ask for fewer with -j")))?;
        Ok(Workers { pool })
    }

    /// Does jobs 0 to `n_jobs`, handed out in order, each thread with a state of its own. Gives what came of each, and
    /// nothing for those that a stop left undone.
    pub(super) fn each<S, T: Send>(
        &self,
        n_jobs: usize,
        state: impl Fn() -> S + Sync,
        job: impl Fn(&mut S, usize, &Stop) -> T + Sync,
    ) -> Vec<Option<T>> {
        let next = AtomicUsize::new(0);
        let stop = Stop::default();
        let of_threads = self.pool.broadcast(|_| {
            let mut state = state();
            let mut done = Vec::new();
            while !stop.is_set() {
                let job_idx = next.fetch_add(1, Ordering::Relaxed);
                if job_idx >= n_jobs {
                    break;
                }
                done.push((job_idx, job(&mut state, job_idx, &stop)));
            }
            done
        });
        let mut outcomes: Vec<Option<T>> = std::iter::repeat_with(|| None).take(n_jobs).collect();
        for (job_idx, outcome) in of_threads.into_iter().flatten() {
            outcomes[job_idx] = Some(outcome);
        }
        outcomes
    }
}
