//! Builds the explorer from its lockfile when Node is there, and lists the files to embed.
//!
//! A failure never fails the cargo build: the binary then holds the fallback page, and a warning
//! says why. The bundle is the same in debug and release.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the bundle is made of: copied to the build directory and watched, and nothing else is.
const SOURCES: [&str; 8] = [
    ".npmrc",
    "index.html",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script through the environment; this is no configuration"
)]
fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=fallback");
    println!("cargo::rerun-if-env-changed=ROLLCALL_WEB_SKIP");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=explorer/{source}");
    }

    let manifest_directory = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out_directory = PathBuf::from(env::var("OUT_DIR")?);
    let built = build_explorer(&manifest_directory.join("explorer"), &out_directory);
    let root = match &built {
        Ok(bundle) => bundle.clone(),
        Err(reason) => {
            // Only here: an editor's PATH differs from the shell's, and would build in turns.
            println!("cargo::rerun-if-env-changed=PATH");
            println!(
                "cargo::warning=the API explorer is not in this build, only a page that says so: {reason}"
            );
            println!("cargo::warning=to try again: cargo clean -p web, then build");
            manifest_directory.join("fallback")
        }
    };
    fs::write(
        out_directory.join("assets.rs"),
        listing(&root, built.is_ok())?,
    )?;
    Ok(())
}

/// The directory of the finished bundle. Works on a copy, so the source tree stays as it is.
fn build_explorer(explorer: &Path, out_directory: &Path) -> Result<PathBuf> {
    if env::var_os("ROLLCALL_WEB_SKIP").is_some_and(|value| value == "1") {
        return Err("ROLLCALL_WEB_SKIP is 1".into());
    }
    let workshop = out_directory.join("explorer");
    remove_directory(&workshop)?;
    for source in SOURCES {
        copy(&explorer.join(source), &workshop.join(source))?;
    }
    npm(
        &workshop,
        &[
            "ci",
            "--omit=dev",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
        ],
    )?;
    npm(&workshop, &["run", "--silent", "build"])?;
    // 250 MB that nothing needs any more; npm's own cache makes the next installation quick.
    remove_directory(&workshop.join("node_modules"))?;
    Ok(workshop.join("dist"))
}

/// Runs npm silently; its last words become the error.
fn npm(directory: &Path, arguments: &[&str]) -> Result<()> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        // A developer's setting here would make another bundle.
        .env("NODE_ENV", "production")
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                "npm is not installed (Node.js 20.19 or newer brings it)".to_owned()
            }
            _ => format!("npm cannot be started: {error}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // One line, as cargo's warnings are, without stack traces and the path of npm's log.
    let errors: Vec<_> = said
        .lines()
        .map(|line| line.trim_start_matches("npm error").trim())
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with("npm warn")
                && !line.contains("debug-0.log")
                && !line.starts_with("at ")
        })
        .take(6)
        .collect();
    Err(format!("npm {} failed: {}", arguments[0], errors.join(" | ")).into())
}

/// The Rust source that embeds every file below `root`.
fn listing(root: &Path, explorer_is_built: bool) -> Result<String> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut source = format!("const EXPLORER_IS_BUILT: bool = {explorer_is_built};\n");
    source.push_str("static ASSETS: &[Asset] = &[\n");
    for file in files {
        let name = file
            .strip_prefix(root)?
            .to_str()
            .ok_or("a file name is not UTF-8")?
            .replace('\\', "/");
        let path = name.strip_suffix(".gz").unwrap_or(&name);
        writeln!(
            source,
            "    Asset {{ path: {:?}, body: include_bytes!({:?}), content_type: {:?}, gzip: {}, etag: {:?}, immutable: {} }},",
            format!("/{path}"),
            file.to_str()
                .ok_or("the build directory's name is not UTF-8")?,
            content_type(path)?,
            path != name,
            entity_tag(&fs::read(&file)?),
            path.starts_with("assets/"),
        )?;
    }
    source.push_str("];\n");
    Ok(source)
}

/// An unknown kind of file fails the build here rather than reach a browser as a download.
fn content_type(path: &str) -> Result<&'static str> {
    match path.rsplit('.').next() {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("ttf") => Ok("font/ttf"),
        Some("woff2") => Ok("font/woff2"),
        _ => Err(format!("no content type is known for {path}").into()),
    }
}

/// FNV-1a and the length: it tells two builds apart, and nobody gains by forging it.
fn entity_tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{:x}-{hash:016x}\"", bytes.len())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().ok_or("no parent directory")?)?;
        fs::copy(from, to)?;
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

fn remove_directory(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
