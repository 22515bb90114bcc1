//! Which part of a Rust file is code? Comments and the insides of strings are blanked, lines keep their numbers.

/// The text with comments, string and character literals replaced by spaces; as many lines as before.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at + 1),
            b'r' if !follows_word(bytes, at) || is_prefixed(bytes, at) => match raw_string_end(bytes, at + 1) {
                Some(end) => end,
                None => at + 1,
            },
            b'\'' => char_end(text, at).unwrap_or(at + 1),
            _ => at + 1,
        };
        if end > at + 1 {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("whole literals and comments were replaced by ASCII")
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |length| from + length)
}

fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// `from` lies behind the opening quote.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `from` lies behind the `r`; `None` when no raw string starts there (`r#type`, a word).
fn raw_string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let hashes = bytes[from..].iter().take_while(|&&b| b == b'#').count();
    if bytes.get(from + hashes) != Some(&b'"') {
        return None;
    }
    let close = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let body = from + hashes + 1;
    let length = bytes[body..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(bytes.len(), |length| body + length + close.len()))
}

/// The end of a character literal; `None` for a lifetime.
fn char_end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(from + 1) == Some(&b'\\') {
        let close = bytes.get(from + 3..)?.iter().position(|&b| b == b'\'')?;
        return Some(from + 3 + close + 1);
    }
    let next = text[from + 1..].chars().next()?;
    let close = from + 1 + next.len_utf8();
    (bytes.get(close) == Some(&b'\'')).then_some(close + 1)
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

/// The `r` of `br"…"` or `cr"…"`.
fn is_prefixed(bytes: &[u8], at: usize) -> bool {
    at > 0 && matches!(bytes[at - 1], b'b' | b'c') && !follows_word(bytes, at - 1)
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn comments_and_literals_are_blanked() {
        assert_eq!(code("a // unsafe\nb"), "a          \nb");
        assert_eq!(code("a /* x /* y */ z */ b"), "a                   b");
        assert_eq!(code(r#"f("un\"safe", 'x', '\'') "#), "f(          ,    ,     ) ");
        assert_eq!(code("f(r#\"a \" b\"#) g"), "f(          ) g");
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code("let r#type = br\"dbg!\";"), "let r#type = b       ;");
        assert_eq!(code("'é' '\\u{1F600}' x"), format!("{} x", " ".repeat("'é' '\\u{1F600}'".len())));
        assert_eq!(code("\"open"), "     ");
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "a\n\"b\nc\"\n/* d\ne */ f";
        assert_eq!(code(text).lines().count(), text.lines().count());
        assert_eq!(code(text).lines().last(), Some("     f"));
    }
}
