//! What was measured? Named figures in the order they were taken, as a table or as one JSON object.

use serde_json::{Map, Value};

/// Figures by name; a name ends in its unit.
#[derive(Default)]
pub struct Figures(Vec<(String, Value)>);

impl Figures {
    /// A count or a text.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// A measured number, kept to four digits, and whole from a thousand on.
    pub fn measured(&mut self, name: impl Into<String>, value: f64) {
        let digits = (3 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 9);
        let unit = 10f64.powi(digits);
        if digits == 0 { self.add(name, value.round() as i64) } else { self.add(name, (value * unit).round() / unit) }
    }

    /// One object.
    pub fn json(&self) -> Value {
        Value::Object(self.0.iter().cloned().collect::<Map<_, _>>())
    }

    /// One line a figure, beside what a saved run measured and how many times that it is now.
    ///
    /// # Errors
    /// When the text is no JSON object, or shares no figure with this run.
    pub fn beside(&self, saved: &str) -> Result<String, String> {
        let saved: Value = serde_json::from_str(saved).map_err(|cause| format!("expected a run's JSON: {cause}"))?;
        let known = self.0.iter().filter_map(|(name, value)| Some((name, value, saved.get(name)?)));
        let row = |(name, now, then): (&String, &Value, &Value)| {
            let times = match (now.as_f64(), then.as_f64()) {
                (Some(now), Some(then)) if then != 0.0 => format!("{:.3}", now / then),
                _ if now == then => "same".to_owned(),
                _ => "other".to_owned(),
            };
            [name.clone(), shown(now), shown(then), times]
        };
        let mut rows: Vec<[String; 4]> = known.map(row).collect();
        if rows.is_empty() {
            return Err("expected figures of the same measurement, got none of them".into());
        }
        rows.insert(0, ["", "now", "saved", "now/saved"].map(str::to_owned));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [name, now, then, times] = [0, 1, 2, 3].map(width);
        let line = |[a, b, c, d]: &[String; 4]| format!("{a:name$}  {b:>now$}  {c:>then$}  {d:>times$}\n");
        Ok(rows.iter().map(line).collect())
    }

    /// One line a figure.
    pub fn table(&self) -> String {
        let widest = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        self.0.iter().map(|(name, value)| format!("{name:widest$}  {}\n", shown(value))).collect()
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_run_stands_beside_this_one() {
        let run = |ms: f64, level: &str| {
            let mut figures = Figures::default();
            figures.add("level", level);
            figures.add("rounds", 3);
            figures.measured("exact_ms", ms);
            figures
        };
        let saved = run(4.0, "avx2").json().to_string();
        let beside = run(3.0, "scalar").beside(&saved).unwrap();
        let lines: Vec<Vec<&str>> = beside.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["now", "saved", "now/saved"]);
        assert_eq!(lines[1], ["level", "scalar", "avx2", "other"]);
        assert_eq!(lines[2], ["rounds", "3", "3", "1.000"]);
        assert_eq!(lines[3], ["exact_ms", "3.0", "4.0", "0.750"]);
        assert!(run(3.0, "").beside("{}").unwrap_err().contains("same measurement"));
        assert!(run(3.0, "").beside("ms 4").unwrap_err().contains("expected a run's JSON"));
    }

    #[test]
    fn four_digits_in_order() {
        let mut figures = Figures::default();
        figures.add("level", "scalar");
        for value in [123_456.7, 12.345_67, 0.001_234_567, 0.0] {
            figures.measured(format!("x_{value}"), value);
        }
        assert_eq!(
            figures.table(),
            "level          scalar\nx_123456.7     123457\nx_12.34567     12.35\nx_0.001234567  0.001235\nx_0            0.0\n"
        );
        assert_eq!(figures.json()["level"], "scalar");
    }
}
