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

    /// One line a figure.
    pub fn table(&self) -> String {
        let widest = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, value): &(String, Value)| match value {
            Value::String(text) => format!("{name:widest$}  {text}\n"),
            other => format!("{name:widest$}  {other}\n"),
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
