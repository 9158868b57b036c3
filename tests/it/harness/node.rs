//! Tools of the JavaScript world, from lockfiles: the audits, clients and compilers that others use.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock},
};

/// Runs `script` of `tests/FOLDER` and gives what it prints, or none where there is no Node.
/// Its packages are installed from the lockfile first, once.
pub fn run(folder: &str, script: &str, arguments: &[&str]) -> Option<Result<String, String>> {
    let directory = installed(folder)?;
    let output = Command::new("node")
        .arg(script)
        .args(arguments)
        .current_dir(&directory)
        .output()
        .expect("node");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Some(if output.status.success() {
        Ok(text)
    } else {
        Err(text)
    })
}

/// The folder `tests/FOLDER`, once its packages are installed; none where there is no Node.
pub fn installed(folder: &str) -> Option<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    install(&directory).then_some(directory)
}

/// Says once that something was not found, or fails where everything must be there.
pub fn missing(what: &str, why: &str) {
    static SAID: OnceLock<Mutex<HashSet<String>>> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "REQUIRE_SERVICES=1, and {what} is missing: {why}"
    );
    let first = SAID
        .get_or_init(Mutex::default)
        .lock()
        .expect("no panic")
        .insert(what.to_owned());
    if first {
        // Past the test runner's capture: whoever runs the tests should know what did not run.
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "NOT TESTED: {what} was not found: {why}");
    }
}

fn install(directory: &PathBuf) -> bool {
    static INSTALLED: Mutex<Option<HashMap<PathBuf, bool>>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().expect("no panic");
    *installed
        .get_or_insert_default()
        .entry(directory.clone())
        .or_insert_with(|| {
            let Ok(output) = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(directory)
                .output()
            else {
                missing("Node", "npm cannot be run");
                return false;
            };
            if !output.status.success() {
                missing("Node packages", &String::from_utf8_lossy(&output.stderr));
            }
            output.status.success()
        })
}
