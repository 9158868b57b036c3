//! The byte scanner in front of the parser.
//!
//! The parser recurses once per bracket and allocates per token. It watches the stack while it
//! recognizes text but not while it builds the tree, so two hundred nested lists could exhaust a
//! thread's stack and end the process. The scanner is one loop over the bytes that reads strings,
//! block strings and comments as the parser's grammar does.

use async_graphql::ServerError;

use super::error;

/// Bytes of a document. Sixty-four kilobytes hold thirty standard introspection queries.
pub const MAX_BYTES: usize = 64 * 1024;
/// Tokens of a document: names, numbers, strings and punctuation (commas are white space).
pub const MAX_TOKENS: usize = 2_000;
/// Open `{`, `[` and `(` at one place; the parser's own limit for selection sets is the same.
pub const MAX_NESTING: usize = 64;

/// Refuses a document that is too large, or too deep to be parsed safely.
///
/// # Errors
/// `DOCUMENT_TOO_LARGE`, `TOO_MANY_TOKENS`, `DOCUMENT_TOO_DEEP`, and `GRAPHQL_PARSE_FAILED` for a
/// string without its end: the parser would read an unclosed `"""` as an empty string followed by
/// another one, and so see brackets where the scanner sees text.
pub fn scan(document: &str) -> Result<(), ServerError> {
    if document.len() > MAX_BYTES {
        return Err(error(
            "DOCUMENT_TOO_LARGE",
            format!("The document is larger than {MAX_BYTES} bytes."),
            None,
        ));
    }
    let mut rest = document.as_bytes();
    let mut tokens = 0;
    let mut nesting = 0_usize;
    while let [first, tail @ ..] = rest {
        let mut token = true;
        rest = tail;
        match first {
            b'"' => rest = skip_string(tail).ok_or_else(unclosed_string)?,
            b'#' => {
                rest = skip_while(tail, |byte| byte != b'\n' && byte != b'\r');
                token = false;
            }
            b'{' | b'[' | b'(' => nesting += 1,
            b'}' | b']' | b')' => nesting = nesting.saturating_sub(1),
            b' ' | b'\t' | b'\n' | b'\r' | b',' => token = false,
            byte if is_word(*byte) => rest = skip_while(tail, is_word),
            _ => {}
        }
        tokens += usize::from(token);
        if nesting > MAX_NESTING {
            return Err(error(
                "DOCUMENT_TOO_DEEP",
                format!("The document nests brackets deeper than {MAX_NESTING}."),
                None,
            ));
        }
        if tokens > MAX_TOKENS {
            return Err(error(
                "TOO_MANY_TOKENS",
                format!("The document has more than {MAX_TOKENS} tokens."),
                None,
            ));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    // Numbers count as one token whatever their sign, fraction and exponent.
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

/// What follows a string whose first quote was just read; `None` when it does not end.
fn skip_string(text: &[u8]) -> Option<&[u8]> {
    if let Some(mut rest) = text.strip_prefix(br#""""#) {
        loop {
            rest = match rest {
                [b'"', b'"', b'"', tail @ ..] => return Some(tail),
                [b'\\', b'"', b'"', b'"', tail @ ..] | [_, tail @ ..] => tail,
                [] => return None,
            };
        }
    }
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', tail @ ..] => return Some(tail),
            [b'\n' | b'\r', ..] | [] => return None,
            [b'\\', _, tail @ ..] | [_, tail @ ..] => tail,
        };
    }
}

fn skip_while(text: &[u8], keep: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !keep(*byte));
    &text[end.unwrap_or(text.len())..]
}

fn unclosed_string() -> ServerError {
    error(
        "GRAPHQL_PARSE_FAILED",
        "Syntax error: a string is not closed.",
        None,
    )
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use proptest::prelude::*;

    use super::*;

    fn message(document: &str) -> String {
        scan(document).expect_err("the document is refused").message
    }

    #[test]
    fn limits_are_exact() {
        let nested = |levels| format!("{{ a(x: {}{}) }}", "[".repeat(levels), "]".repeat(levels));
        assert!(scan(&nested(MAX_NESTING - 2)).is_ok());
        assert!(message(&nested(MAX_NESTING - 1)).contains("deeper"));
        assert!(scan(&"a ".repeat(MAX_TOKENS)).is_ok());
        assert!(message(&"a ".repeat(MAX_TOKENS + 1)).contains("tokens"));
        assert!(scan(&" ".repeat(MAX_BYTES)).is_ok());
        assert!(message(&" ".repeat(MAX_BYTES + 1)).contains("bytes"));
    }

    #[test]
    fn text_is_not_structure() {
        let deep = "[".repeat(100);
        for document in [
            format!("{{ a }} # {deep}"),
            format!(r#"{{ a(x: "{deep}") }}"#),
            format!(r#"{{ a(x: "\"{deep}") }}"#),
            format!(r#"{{ a(x: """ " \""" {deep}""") }}"#),
        ] {
            assert!(scan(&document).is_ok(), "{document}");
            assert!(parse_query(&document).is_ok(), "{document}");
        }
        for document in [
            format!("{{ a }} # x\n{deep}"),
            format!("{{ a }} # x\r{deep}"),
            format!(r#"{{ a(x: "\\" {deep}"#),
            format!(r#"{{ a(x: """" {deep}"#),
            format!(r#"{{ a(x: [""" " {deep}"#),
            format!("{{ a(x: \" \n{deep}"),
        ] {
            assert!(scan(&document).is_err(), "{document}");
        }
    }

    /// Lists within lists, which the parser follows to the end when nothing hides them, between
    /// pieces that may hide them or break the document.
    fn documents() -> impl Strategy<Value = String> {
        let pieces = || {
            let piece = prop::sample::select(vec![
                "", " ", "\"", "\"\"", "\"\"\"", "\"\"\"\"", "\\", "\\\"\"\"", "#", "\n", "\r",
                "a", "[", "}", "$", "@", "...", "-1.5e3", "é", "\u{feff}",
            ]);
            prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
        };
        let around = prop::sample::select(vec![
            ("{ a(x: [", "]) }"),
            ("{ a @d(x: [", "]) }"),
            ("query Q($v: [Int] = [", "]) { a }"),
        ]);
        let bracket = prop::sample::select(vec![("[", "]"), ("{a:", "}"), ("[{a:[", "]}]")]);
        (around, pieces(), bracket, 0..500_usize, pieces()).prop_map(
            |((begin, end), before, (open, close), times, after)| {
                let (open, close) = (open.repeat(times), close.repeat(times));
                format!("{begin}{before}{open}1{close}{after}{end}")
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// A stack overflow cannot be caught: it would end the test process, as it would the
        /// server. Tokio's workers have two megabytes; the parser gets half of that here. Without
        /// the limit on nesting, or on unclosed strings, this test aborts.
        #[test]
        fn what_the_scanner_accepts_the_parser_survives(document in documents()) {
            if scan(&document).is_ok() {
                let parse = move || drop(parse_query(document));
                let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(parse);
                prop_assert!(thread.expect("a thread starts").join().is_ok());
            }
        }

        #[test]
        fn the_scanner_never_panics(document in any::<String>()) {
            drop(scan(&document));
        }
    }
}
