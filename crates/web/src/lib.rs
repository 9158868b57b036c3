//! The pages a person sees, embedded in the binary: the API explorer (GraphiQL) that `build.rs`
//! builds from `explorer/` and its lockfile, or the page of `fallback/` where that was not possible.

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file of the pages, as an HTTP response needs it.
#[derive(Debug)]
pub struct Asset {
    /// Where it is served, with a leading slash: `/index.html`, `/assets/index-By5XnFXY.js`.
    pub path: &'static str,
    /// The bytes of the response, in gzip form when [`Asset::gzip`] says so.
    pub body: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Whether [`Asset::body`] needs `Content-Encoding: gzip`. There is no other form of it in the
    /// binary: every browser accepts gzip, and both forms would cost four times the space.
    pub gzip: bool,
    /// A strong entity tag of these exact bytes, in its quotes: the value of `ETag`.
    pub etag: &'static str,
    /// Whether the name carries a hash of the content, so that a client may keep it for ever.
    pub immutable: bool,
}

/// The `Content-Security-Policy` that every page is served with: own origin only, no framing.
///
/// `style-src` has `'unsafe-inline'` because Monaco, GraphiQL's editor, writes `<style>` elements
/// while it runs and has no place for a nonce. Scripts have no such exception. `connect-src 'self'`
/// covers the WebSocket of subscriptions.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    worker-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; \
    style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The file served at `path`; `/` is the page itself. `None` is a 404.
#[must_use]
pub fn asset(path: &str) -> Option<&'static Asset> {
    let path = if path == "/" { "/index.html" } else { path };
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Whether the binary holds the explorer, or only the fallback page.
#[must_use]
pub fn explorer_is_built() -> bool {
    EXPLORER_IS_BUILT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_a_page_without_inline_script() {
        let page = asset("/").expect("a page at /");
        let html = std::str::from_utf8(page.body).expect("plain HTML");
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert!(!page.immutable);
        assert!(
            html.matches("<script").count()
                == html
                    .matches("<script type=\"module\" crossorigin src=\"/")
                    .count(),
            "the policy refuses inline scripts:\n{html}"
        );
    }

    #[test]
    fn every_reference_of_the_page_is_embedded() {
        let html = std::str::from_utf8(asset("/").expect("a page at /").body).expect("plain HTML");
        for attribute in ["src=\"/", "href=\"/"] {
            for reference in html.split(attribute).skip(1) {
                let name = reference.split('"').next().unwrap_or_default();
                assert!(
                    asset(&format!("/{name}")).is_some(),
                    "/{name} is not embedded"
                );
            }
        }
    }

    #[test]
    fn an_asset_is_what_it_says() {
        for asset in ASSETS {
            assert_eq!(
                asset.gzip,
                asset.body.starts_with(&[0x1f, 0x8b]),
                "{}",
                asset.path
            );
            assert_eq!(
                asset.immutable,
                asset.path.starts_with("/assets/"),
                "{}",
                asset.path
            );
            assert!(
                asset.etag.starts_with('"') && asset.etag.ends_with('"'),
                "{}",
                asset.etag
            );
        }
    }

    #[test]
    fn nothing_else_is_served() {
        for path in [
            "",
            "/../Cargo.toml",
            "/assets/",
            "/assets",
            "index.html",
            "/graphql",
        ] {
            assert!(asset(path).is_none(), "{path}");
        }
    }
}
