//! `khop evaluate realism`: How far is the synthetic population from real people?

use clap::Args;
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_evaluate::{FnmrAtFmr, Resampling, Spread, Verification};
use khop_vocabulary::Fmr;
use serde_json::{Value, json};

use super::samples::Samples;
use super::trials::{self, Comparing, Impostors};
use super::{SourceArgs, Task, findings, on_threads};
use crate::failure::Failure;

/// Where a fit looks for the difficulty.
const EASIEST_AND_HARDEST: (f64, f64) = (0.05, 4.0);
/// How often it halves that: to 0.01 or so.
const HALVINGS: u32 = 9;

#[derive(Args)]
pub struct RealismArgs {
    /// The real samples.
    #[command(flatten)]
    source: SourceArgs,
    /// Synthetic people, two encounters each.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    people: u64,
    /// Seed of the synthetic people.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Noise of the synthetic finger impressions, as in `khop synth`.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = crate::commands::synth::factor)]
    difficulty: f64,
    /// Find the difficulty at which synthetic mated comparisons have the mean of the real ones.
    #[arg(long, requires = "manifest", conflicts_with = "difficulty")]
    fit: bool,
    /// Which non-mated pairs are compared, on either side.
    #[arg(long, value_enum, default_value = "all")]
    impostors: Impostors,
    /// Worker threads; all cores by default.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub const EXAMPLES: &str = "\
Examples:
  khop evaluate realism --modality face --vectors X.npy --labels L.csv --clean --impostors fvc --people 3000
  khop evaluate realism --modality finger --manifest M.csv --where extractor=x --difficulty 0.8
  khop evaluate realism --modality finger --manifest M.csv --where extractor=x --fit

Both sides are compared by the same comparator. Mated comparisons weigh every subject the same, however many samples it
gave. A ratio is synthetic to real. A rate stands here only where both sides carry it.";

pub fn run(args: &RealismArgs) -> Result<(), Failure> {
    let found = on_threads(args.threads, || {
        let real = args.source.with(Distribution(args.impostors))?;
        let difficulty = if args.fit { args.fitted(real.mated.mean)? } else { args.difficulty };
        let synthetic = args.synthetic(difficulty, args.impostors)?;
        let difficulty = args.source.manifest.is_some().then_some(difficulty);
        Ok(Realism { difficulty, real, synthetic })
    })?;
    if args.json {
        println!("{}", found.to_json());
    } else {
        print!("{}", found.to_table());
    }
    Ok(())
}

impl RealismArgs {
    fn synthetic(&self, difficulty: f64, impostors: Impostors) -> Result<Side, Failure> {
        let mut options = PopulationOptions::default();
        options.finger.difficulty = difficulty;
        let population = Population::new(self.seed, options);
        self.source.with_synthetic(&population, self.people, Distribution(impostors))
    }

    /// The difficulty of this mated mean, by halving: a harder impression is never more similar, on average.
    fn fitted(&self, mean: f64) -> Result<f64, Failure> {
        let (mut low, mut high) = EASIEST_AND_HARDEST;
        let of = |difficulty| Ok::<_, Failure>(self.synthetic(difficulty, Impostors::Fvc)?.mated.mean);
        let (easiest, hardest) = (of(low)?, of(high)?);
        if !(hardest..=easiest).contains(&mean) {
            return Err(Failure::new(format!(
                "--fit: the real mated mean is {mean:.4}; synthetic ones go from {hardest:.4} to {easiest:.4}, so no \
                 difficulty gives it"
            )));
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if of(middle)? > mean { low = middle } else { high = middle }
        }
        Ok((50.0 * (low + high)).round() / 100.0)
    }
}

/// The task of finding out how similarities are distributed.
struct Distribution(Impostors);

/// One side: real or synthetic.
struct Side {
    comparator: String,
    mated_count: u64,
    non_mated_count: u64,
    mated: Spread,
    non_mated: Spread,
    rates: Vec<Rate>,
}

/// What a threshold costs.
#[derive(Clone, Copy)]
struct Rate {
    fmr: Fmr,
    threshold: f32,
    /// Every subject weighing the same.
    fnmr: f64,
}

impl Task for Distribution {
    type Done = Side;

    fn run<C: Comparing>(self, samples: &Samples, comparing: &C, comparator: &str) -> Result<Side, Failure> {
        let (comparisons, _) = trials::compare_pairs(samples, comparing, self.0)?;
        let verification = Verification::new(comparisons);
        let (mated_count, non_mated_count) = (verification.mated(), verification.non_mated());
        let rates = findings::asked(None, non_mated_count, false).0;
        let measured = verification.measure(&rates, &Resampling { seed: 1, resamples: 2 });
        let rate = |at: &FnmrAtFmr| {
            let fnmr = verification.fnmr_by_subject(at.threshold).value();
            Rate { fmr: at.asked, threshold: at.threshold, fnmr }
        };
        Ok(Side {
            comparator: comparator.to_owned(),
            mated_count,
            non_mated_count,
            mated: verification.mated_spread(),
            non_mated: verification.non_mated_spread(),
            rates: measured.fnmr_at_fmr.iter().map(rate).collect(),
        })
    }
}

/// Both sides.
struct Realism {
    /// Of the synthetic finger impressions; none among faces.
    difficulty: Option<f64>,
    real: Side,
    synthetic: Side,
}

impl Realism {
    /// What is set side by side: name, real, synthetic.
    fn lines(&self) -> Vec<(String, f64, f64)> {
        let (real, synthetic) = (&self.real, &self.synthetic);
        let mut lines = vec![
            ("mated mean".to_owned(), real.mated.mean, synthetic.mated.mean),
            ("mated spread".to_owned(), real.mated.sd, synthetic.mated.sd),
            ("non-mated mean".to_owned(), real.non_mated.mean, synthetic.non_mated.mean),
            ("non-mated spread".to_owned(), real.non_mated.sd, synthetic.non_mated.sd),
        ];
        // Rates that both sides carry.
        for (real, synthetic) in real.rates.iter().zip(&synthetic.rates) {
            let fmr = real.fmr.value();
            lines.push((format!("threshold at FMR {fmr:.0e}"), real.threshold.into(), synthetic.threshold.into()));
            lines.push((format!("FNMR % at FMR {fmr:.0e}"), real.fnmr * 100.0, synthetic.fnmr * 100.0));
        }
        lines
    }

    fn to_json(&self) -> Value {
        let side = |side: &Side| json!({"mated": side.mated_count, "non_mated": side.non_mated_count});
        let line = |(name, real, synthetic): (String, f64, f64)| {
            let ratio = ratio(real, synthetic);
            json!({"measure": name, "real": real, "synthetic": synthetic, "ratio": ratio})
        };
        json!({
            "comparator": self.real.comparator,
            "difficulty": self.difficulty,
            "real": side(&self.real),
            "synthetic": side(&self.synthetic),
            "measures": self.lines().into_iter().map(line).collect::<Vec<_>>(),
        })
    }

    fn to_table(&self) -> String {
        let Self { difficulty, real, synthetic } = self;
        let difficulty = difficulty.map_or_else(String::new, |difficulty| format!(", difficulty {difficulty}"));
        let mut text = format!("{}{difficulty}\n\n", real.comparator);
        text.push_str(&format!("{:<24}{:>14}{:>14}{:>10}\n", "", "real", "synthetic", "ratio"));
        let counts = [
            ("mated comparisons", real.mated_count, synthetic.mated_count),
            ("non-mated comparisons", real.non_mated_count, synthetic.non_mated_count),
        ];
        for (name, real, synthetic) in counts {
            text.push_str(&format!("{name:<24}{real:>14}{synthetic:>14}\n"));
        }
        for (name, real, synthetic) in self.lines() {
            let ratio = ratio(real, synthetic).map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            text.push_str(&format!("{name:<24}{real:>14.4}{synthetic:>14.4}{ratio:>10}\n"));
        }
        text
    }
}

/// Synthetic to real; none where the real figure is 0.
fn ratio(real: f64, synthetic: f64) -> Option<f64> {
    (real != 0.0).then_some(synthetic / real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(mean: f64) -> Side {
        Side {
            comparator: "c".to_owned(),
            mated_count: 10,
            non_mated_count: 20,
            mated: Spread { mean, sd: 1.0 },
            non_mated: Spread { mean: 0.0, sd: 0.5 },
            rates: Vec::new(),
        }
    }

    #[test]
    fn a_ratio_is_synthetic_to_real_and_nothing_is_divided_by_zero() {
        let found = Realism { difficulty: None, real: side(4.0), synthetic: side(3.0) };
        let json = found.to_json();
        assert_eq!(json["measures"][0]["ratio"], 0.75);
        assert_eq!(json["measures"][2]["measure"], "non-mated mean");
        assert_eq!(json["measures"][2]["ratio"], Value::Null);
        assert_eq!(json["synthetic"]["non_mated"], 20);
        assert!(found.to_table().lines().any(|line| line.starts_with("mated mean") && line.ends_with("0.75")));
    }

    #[test]
    fn both_sides_are_compared_in_the_same_way() {
        // A synthetic set against itself must come out the same in every line.
        let args =
            RealismArgs::of(&["--modality", "face", "--vectors", "x.npy", "--labels", "l.csv", "--people", "40"]);
        let one = || args.synthetic(1.0, Impostors::All).unwrap();
        let found = Realism { difficulty: None, real: one(), synthetic: one() };
        assert_eq!((found.real.mated_count, found.real.non_mated_count), (40, 80 * 79 / 2 - 40));
        assert!(found.lines().iter().all(|(_, real, synthetic)| real == synthetic));
        assert!(found.real.mated.mean > 0.5 && found.real.non_mated.mean.abs() < 0.1);
    }

    #[test]
    fn a_fit_finds_the_difficulty_that_there_was_and_refuses_what_none_gives() {
        let args = RealismArgs::of(&["--modality", "finger", "--manifest", "m.csv", "--people", "4", "--fit"]);
        let mean = args.synthetic(1.5, Impostors::Fvc).unwrap().mated.mean;
        let fitted = args.fitted(mean).unwrap();
        assert!((fitted - 1.5).abs() < 0.2, "{fitted}");
        let failure = args.fitted(1e6).unwrap_err().to_string();
        assert!(failure.contains("--fit") && failure.contains("1000000"), "{failure}");
    }

    impl RealismArgs {
        fn of(words: &[&str]) -> Self {
            use clap::Parser;
            #[derive(Parser)]
            struct Line {
                #[command(flatten)]
                args: RealismArgs,
            }
            Line::parse_from(["realism"].iter().chain(words)).args
        }
    }
}
