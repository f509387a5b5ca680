//! A call in several stages, each shared among threads: one count of progress, one callback.

use crate::error::{Error, Result};
use crate::parallel::{Queue, Run, default_threads, interval, share_from};
use std::time::Instant;

pub struct Stages<'r, 'a> {
    run: &'r mut Run<'a>,
    done: u64,
    total: u64,
    last: Instant,
}

impl<'r, 'a> Stages<'r, 'a> {
    pub fn new(run: &'r mut Run<'a>, total: u64) -> Self {
        Stages {
            run,
            done: 0,
            total,
            last: Instant::now(),
        }
    }

    pub fn threads(&self) -> usize {
        if self.run.threads == 0 {
            default_threads()
        } else {
            self.run.threads
        }
    }

    /// One stage of `units` units of the total.
    pub fn share<T: Send>(
        &mut self,
        tasks: Vec<T>,
        units: u64,
        worker: impl Fn(&Queue<'_, T>) -> Result<()> + Sync,
    ) -> Result<()> {
        let last = &mut self.last;
        let mut progress = self.run.progress.as_deref_mut().map(|callback| {
            |done: u64, total: u64| {
                *last = Instant::now();
                callback(done, total)
            }
        });
        let mut run = Run {
            threads: self.run.threads,
            progress: progress.as_mut().map(|p| p as &mut dyn FnMut(u64, u64) -> bool),
        };
        share_from(&mut run, tasks, self.done..self.total, worker)?;
        // What must be done twice counts once.
        self.done = (self.done + units).min(self.total);
        self.ring()
    }

    /// Calls back between stages if none of them was long enough to.
    fn ring(&mut self) -> Result<()> {
        let Some(callback) = &mut self.run.progress else {
            return Ok(());
        };
        if self.last.elapsed() < interval() {
            return Ok(());
        }
        self.last = Instant::now();
        if callback(self.done, self.total) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}
