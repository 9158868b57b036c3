//! Golden files: what a program prints, kept beside the test so that a change of it is seen.

use std::path::PathBuf;

/// Fails unless the file of this name beside the walls holds `text`, and says how to write it.
pub fn must_equal(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("it/walls")
        .join(name);
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, was)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(
            is,
            was,
            "{name} differs in line {}; if that is meant, run again with UPDATE_GOLDEN=1",
            number + 1
        );
    }
    assert!(
        text == golden,
        "{name} has another length; if that is meant, run again with UPDATE_GOLDEN=1"
    );
}
