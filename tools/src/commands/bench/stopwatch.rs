//! How long did it take? By the clock on the wall, and in processor time of the threads that did it.

use std::time::Instant;

use rayon::ThreadPool;

/// Times work done on a pool.
pub struct Stopwatch<'a>(pub &'a ThreadPool);

/// What one piece of work took.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// On the wall.
    pub wall_s: f64,
    /// On all threads of the pool together.
    pub cpu_s: f64,
}

impl Stopwatch<'_> {
    /// Does the work on the pool, `times` times, and returns what one time took.
    pub fn time(&self, times: usize, work: impl Fn() + Sync) -> Spent {
        let before = self.cpu_s();
        let start = Instant::now();
        for _ in 0..times {
            self.0.install(&work);
        }
        let wall_s = start.elapsed().as_secs_f64();
        // Where the system does not tell, all threads count as busy all the time.
        let cpu_s =
            before.zip(self.cpu_s()).map_or(wall_s * self.0.current_num_threads() as f64, |(from, to)| to - from);
        Spent { wall_s: wall_s / times as f64, cpu_s: cpu_s / times as f64 }
    }

    /// Processor time of the pool's threads so far, as Linux counts it to the nanosecond.
    fn cpu_s(&self) -> Option<f64> {
        let of_thread = |_: rayon::BroadcastContext<'_>| -> Option<f64> {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
            Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
        };
        self.0.broadcast(of_thread).into_iter().sum()
    }
}

/// Processor time of this thread so far, ms; where the system does not tell, time on the wall.
pub fn thread_cpu_ms() -> f64 {
    #[cfg(unix)]
    {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        spent.tv_sec as f64 * 1e3 + spent.tv_nsec as f64 / 1e6
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        START.elapsed().as_secs_f64() * 1e3
    }
}

/// The middle one; of an even number the upper middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_on_its_thread() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let work = || {
            std::hint::black_box((0..2_000_000u64).fold(0u64, |a, b| std::hint::black_box(a ^ b)));
        };
        let before_ms = thread_cpu_ms();
        work();
        assert!(thread_cpu_ms() > before_ms);
        let spent = Stopwatch(&pool).time(3, work);
        assert!(spent.wall_s > 0.0 && spent.cpu_s > 0.0, "{spent:?}");
        assert!(median(vec![3.0, 1.0, 2.0]) == 2.0 && median(vec![]).is_nan());
    }
}
