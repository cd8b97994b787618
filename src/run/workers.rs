//! Workers: the threads of a run.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The threads of a run.
#[derive(Debug)]
pub(super) struct Workers {
    pool: rayon::ThreadPool,
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

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Does something once on each thread.
    pub(super) fn on_each_thread<T: Send>(&self, work: impl Fn() -> T + Sync) -> Vec<T> {
        self.pool.broadcast(|_| work())
    }

    /// Does jobs 0 to `n_jobs`, handed out in order, each thread with a state of its own. Gives what came of each.
    pub(super) fn each<S, T: Send>(
        &self,
        n_jobs: usize,
        state: impl Fn() -> S + Sync,
        job: impl Fn(&mut S, usize) -> T + Sync,
    ) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let of_threads = self.on_each_thread(|| {
            let mut state = state();
            let mut done = Vec::new();
            loop {
                let job_idx = next.fetch_add(1, Ordering::Relaxed);
                if job_idx >= n_jobs {
                    return done;
                }
                done.push((job_idx, job(&mut state, job_idx)));
            }
        });
        let mut outcomes: Vec<(usize, T)> = of_threads.into_iter().flatten().collect();
        outcomes.sort_unstable_by_key(|(job_idx, _)| *job_idx);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}
