//! By which columns are rates told apart? Further columns of a score file, and the values their rows have.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::str::FromStr;

/// A column of a score file, and how wide the bins of its numbers are.
#[derive(Debug, Clone, PartialEq)]
pub struct By {
    pub column: String,
    width: Option<f64>,
}

impl FromStr for By {
    type Err = String;

    /// `COLUMN`, or `COLUMN:WIDTH` for numbers in bins so wide.
    fn from_str(text: &str) -> Result<Self, String> {
        let (column, width) = match text.rsplit_once(':') {
            None => (text, None),
            Some((column, width)) => {
                let width = width.parse().ok().filter(|width: &f64| width.is_finite() && *width > 0.0);
                (column, Some(width.ok_or("expected COLUMN or COLUMN:WIDTH, the width of a bin above 0")?))
            }
        };
        match column {
            "" => Err("expected the name of a column".into()),
            _ => Ok(Self { column: column.to_owned(), width }),
        }
    }
}

impl By {
    /// The group of a field.
    fn group(&self, field: &str) -> Result<String, String> {
        match (field, self.width) {
            ("", _) => Ok("not given".to_owned()),
            (text, None) => Ok(text.to_owned()),
            (text, Some(width)) => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                let number = number.ok_or_else(|| format!("expected a number to put into a bin, got {text:?}"))?;
                let low = (number / width).floor() * width;
                let is_whole = low.fract() == 0.0 && width.fract() == 0.0;
                Ok(if is_whole {
                    format!("{low}–{}", low + width - 1.0)
                } else {
                    format!("{low} to <{}", low + width)
                })
            }
        }
    }
}

/// The combinations of values that rows have, each with a number.
#[derive(Debug, Clone, Default)]
pub struct Grouping {
    by: Vec<By>,
    numbers: HashMap<String, u32>,
    /// One value for every column.
    combinations: Vec<Vec<String>>,
}

impl Grouping {
    pub fn new(by: &[By]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    pub fn columns(&self) -> &[By] {
        &self.by
    }

    /// The number of a combination of fields, one for every column; or which of them is wrong, and why.
    pub fn number<'a>(&mut self, fields: impl Iterator<Item = &'a str> + Clone) -> Result<u32, (usize, String)> {
        let key: String = fields.clone().flat_map(|field| [field, "\u{1f}"]).collect();
        if let Some(&number) = self.numbers.get(&key) {
            return Ok(number);
        }
        let group = |(index, (by, field)): (usize, (&By, &str))| by.group(field).map_err(|what| (index, what));
        let values = self.by.iter().zip(fields).enumerate().map(group).collect::<Result<_, _>>()?;
        let number = self.combinations.len() as u32;
        self.combinations.push(values);
        self.numbers.insert(key, number);
        Ok(number)
    }

    /// The value that a numbered combination has in a column.
    pub fn value(&self, number: u32, column: usize) -> &str {
        &self.combinations[number as usize][column]
    }

    /// The different values of a column: by number where they begin with one, else by letter.
    pub fn values(&self, column: usize) -> Vec<&str> {
        let mut values: Vec<&str> = self.combinations.iter().map(|combination| &*combination[column]).collect();
        values.sort_unstable_by(|a, b| {
            let [x, y] = [a, b].map(|text| leading_number(text));
            x.partial_cmp(&y).unwrap_or(Ordering::Equal).then(a.cmp(b))
        });
        values.dedup();
        values
    }
}

/// Infinite where the text begins with a letter, so that such values come last.
fn leading_number(text: &str) -> f64 {
    let end = text.char_indices().find(|&(at, c)| !(c.is_ascii_digit() || c == '.' || at == 0 && c == '-'));
    text[..end.map_or(text.len(), |(at, _)| at)].parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_as_wide_as_asked() {
        let group = |by: &str, field: &str| by.parse::<By>().unwrap().group(field);
        assert_eq!(group("quality:20", "59").unwrap(), "40–59");
        assert_eq!(group("quality:20", "60").unwrap(), "60–79");
        assert_eq!(group("born:10", "1989").unwrap(), "1980–1989");
        assert_eq!(group("noise:0.5", "0.75").unwrap(), "0.5 to <1");
        assert_eq!(group("sex", "F").unwrap(), "F");
        assert_eq!(group("born:10", "").unwrap(), "not given");
        assert_eq!(group("born:10", "old").unwrap_err(), "expected a number to put into a bin, got \"old\"");
        assert!(
            "quality:0".parse::<By>().is_err() && "quality:x".parse::<By>().is_err() && ":5".parse::<By>().is_err()
        );
    }

    #[test]
    fn values_stand_in_the_order_of_their_numbers() {
        let mut grouping = Grouping::new(&["age:10".parse().unwrap(), "sex".parse().unwrap()]);
        let rows = [["105", "M"], ["9", "F"], ["12", "F"], ["19", "M"], ["", "F"], ["12", "F"]];
        let numbers: Vec<u32> = rows.iter().map(|row| grouping.number(row.iter().copied()).unwrap()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 2]);
        assert_eq!(grouping.values(0), ["0–9", "10–19", "100–109", "not given"]);
        assert_eq!(grouping.values(1), ["F", "M"]);
        assert_eq!((grouping.value(3, 0), grouping.value(3, 1)), ("10–19", "M"));
        assert_eq!(grouping.number(["x", "F"].into_iter()).unwrap_err().0, 0);
    }
}
