//! How are findings read? One page of HTML that needs nothing else: figures, curves, tables, what they rest on.

use std::fmt::Write;

/// A page in the making.
pub struct Page {
    title: String,
    body: String,
}

/// A cell of a table.
pub enum Cell {
    Text(String),
    /// Aligned by its end.
    Number(String),
}

const STYLE: &str = "\
:root{--page:#fff;--text:#1d1f23;--faint:#5d636b;--line:#d9dce1;--shade:#f5f6f8}\
@media screen and (prefers-color-scheme:dark){:root{--page:#16181c;--text:#e6e7ea;--faint:#a0a5ad;--line:#3a3d44;\
--shade:#1f2227}}\
*{box-sizing:border-box}html{color-scheme:light dark}\
body{margin:0 auto;max-width:62rem;padding:2.5rem 1.5rem 4rem;background:var(--page);color:var(--text);\
font:16px/1.55 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .35rem}h2{font-size:1.2rem;margin:2.6rem 0 .6rem}\
p{margin:.4rem 0}.lead{color:var(--faint);margin-bottom:1.6rem}.note{color:var(--faint);font-size:.9rem;max-width:46rem}\
.figures{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\
.figure{flex:1 1 11rem;border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;background:var(--shade)}\
.figure b{display:block;font-size:1.55rem;font-weight:650;font-variant-numeric:tabular-nums}\
.figure span{color:var(--faint);font-size:.88rem}\
figure{margin:1rem 0}figure svg{width:100%;height:auto;max-width:54rem;display:block}\
.wide{overflow-x:auto;margin-top:1.1rem}table{border-collapse:collapse;width:100%;font-size:.94rem;font-variant-numeric:tabular-nums}\
caption{text-align:left;color:var(--faint);font-size:.9rem;padding:.2rem 0 .5rem}\
th,td{padding:.38rem .7rem .38rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:baseline}\
td:first-child{white-space:nowrap}th{font-weight:600;font-size:.88rem;color:var(--faint)}th.n,td.n{text-align:right;white-space:nowrap}\
@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}figure,table,.figures{break-inside:avoid}\
.figure{background:none}}";

impl Page {
    /// A page with its title and a line below it.
    pub fn new(title: &str, lead: &str) -> Self {
        let body = format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escaped(title), escaped(lead));
        Self { title: title.to_owned(), body }
    }

    pub fn heading(&mut self, text: &str) {
        let _ = writeln!(self.body, "<h2>{}</h2>", escaped(text));
    }

    pub fn note(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p class=\"note\">{}</p>", escaped(text));
    }

    /// What is read first: each with what it says.
    pub fn figures(&mut self, figures: &[(String, String)]) {
        self.body.push_str("<div class=\"figures\">\n");
        for (figure, meaning) in figures {
            let (figure, meaning) = (escaped(figure), escaped(meaning));
            let _ = writeln!(self.body, "<div class=\"figure\"><b>{figure}</b><span>{meaning}</span></div>");
        }
        self.body.push_str("</div>\n");
    }

    /// A drawing, SVG text of our own.
    pub fn drawing(&mut self, svg: &str) {
        let _ = writeln!(self.body, "<figure>{svg}</figure>");
    }

    /// A table; columns of numbers are aligned by their ends.
    pub fn table(&mut self, caption: &str, titles: &[&str], rows: &[Vec<Cell>]) {
        let is_number = |column: usize| rows.iter().all(|row| matches!(row.get(column), Some(Cell::Number(_)) | None));
        let _ = writeln!(self.body, "<div class=\"wide\"><table><caption>{}</caption>", escaped(caption));
        self.body.push_str("<thead><tr>");
        for (column, title) in titles.iter().enumerate() {
            let class = if is_number(column) { " class=\"n\"" } else { "" };
            let _ = write!(self.body, "<th{class} scope=\"col\">{}</th>", escaped(title));
        }
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for cell in row {
                let _ = match cell {
                    Cell::Text(text) => write!(self.body, "<td>{}</td>", escaped(text)),
                    Cell::Number(text) => write!(self.body, "<td class=\"n\">{}</td>", escaped(text)),
                };
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody></table></div>\n");
    }

    /// The whole document.
    pub fn finish(self) -> String {
        let Self { title, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             {body}</body>\n</html>\n",
            escaped(&title)
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let evil = "<script>alert(\"x\")</script>&";
        let mut page = Page::new(evil, evil);
        page.heading(evil);
        page.note(evil);
        page.figures(&[(evil.into(), evil.into())]);
        page.table(evil, &[evil, "n"], &[vec![Cell::Text(evil.into()), Cell::Number("1".into())]]);
        let html = page.finish();
        assert!(!html.contains("<script") && html.matches("&lt;script&gt;").count() == 10, "{html}");
        assert!(html.contains("<th class=\"n\" scope=\"col\">n</th>") && html.contains("<td class=\"n\">1</td>"));
        assert!(!html.contains("http"), "nothing is fetched");
    }
}
