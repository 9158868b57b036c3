//! A browser, as far as a sign-in at a provider needs one: it keeps cookies, goes where it is sent, and
//! fills in the forms it meets.

use std::sync::{Arc, Mutex};

use openidconnect::url::{Url, form_urlencoded};
use reqwest::{
    Response,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};

/// A browser with cookies of its own.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    cookies: Arc<Mutex<Vec<Cookie>>>,
}

#[derive(Clone, Debug)]
struct Cookie {
    origin: String,
    path: String,
    name: String,
    value: String,
}

/// A page, or where it leads.
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub text: String,
}

impl Browser {
    pub fn new() -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build();
        Self {
            http: http.expect("a client"),
            cookies: Arc::default(),
        }
    }

    /// Loads a page, and goes nowhere.
    pub async fn get(&self, url: &str) -> Page {
        let url = Url::parse(url).expect("a URL");
        self.page(&url, self.http.get(url.clone())).await
    }

    /// Goes from here on, wherever it is sent, and signs in as `login` where it is asked to, until it is sent
    /// to a page that begins with `end`, which it does not load.
    pub async fn visit(&self, url: &str, login: &str, end: &str) -> String {
        let mut url = Url::parse(url).expect("a URL");
        for _ in 0..20 {
            if url.as_str().starts_with(end) {
                return url.into();
            }
            let mut page = self.get(url.as_str()).await;
            if let Some(form) = page.text.split("action=\"").nth(1) {
                let action = form.split('"').next().expect("an action");
                let action = url.join(action).expect("a URL");
                let filled = if form.contains("name=\"login\"") {
                    format!("prompt=login&login={login}&password=x")
                } else {
                    "prompt=consent".to_owned()
                };
                let post = self.http.post(action.clone()).body(filled);
                let post = post.header("content-type", "application/x-www-form-urlencoded");
                page = self.page(&action, post).await;
                url = action;
            }
            let location = page
                .location
                .unwrap_or_else(|| panic!("{url} ends: {}", page.text));
            url = url.join(&location).expect("a URL");
        }
        panic!("{url} leads nowhere");
    }

    /// Sends an operation as a page of the instance at `url` does, and gives the answer's body.
    pub async fn operate(&self, url: &str, query: &str, variables: Value) -> Value {
        let url = Url::parse(&format!("{url}/graphql")).expect("a URL");
        let body = json!({ "query": query, "variables": variables });
        let post = self.http.post(url.clone()).json(&body);
        let post = post.header("origin", url.origin().ascii_serialization());
        let page = self.page(&url, post).await;
        serde_json::from_str(&page.text).expect("JSON")
    }

    /// The value of a cookie that would be sent to `url`.
    pub fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let url = Url::parse(url).expect("a URL");
        let cookies = self.of(&url).into_iter();
        cookies
            .rev()
            .find_map(|cookie| (cookie.name == name).then_some(cookie.value))
    }

    async fn page(&self, url: &Url, request: reqwest::RequestBuilder) -> Page {
        let pairs = self.of(url).into_iter();
        let pairs = pairs.map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let pairs = pairs.collect::<Vec<_>>().join("; ");
        let response = request.header(COOKIE, pairs).send().await;
        let response = response.expect("an answer");
        self.keep(url, &response);
        let location = response.headers().get(LOCATION);
        Page {
            status: response.status().as_u16(),
            location: location.map(|to| to.to_str().expect("text").to_owned()),
            text: response.text().await.expect("text"),
        }
    }

    fn of(&self, url: &Url) -> Vec<Cookie> {
        let mut cookies = self.cookies.lock().expect("no panic").clone();
        let origin = url.origin().ascii_serialization();
        cookies.retain(|cookie| cookie.origin == origin && url.path().starts_with(&cookie.path));
        cookies
    }

    fn keep(&self, url: &Url, response: &Response) {
        let mut cookies = self.cookies.lock().expect("no panic");
        for set in response.headers().get_all(SET_COOKIE) {
            let set = set.to_str().expect("text");
            let mut parts = set.split("; ");
            let (name, value) = parts
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a pair");
            let path = parts.find_map(|part| {
                let (name, path) = part.split_once('=')?;
                name.eq_ignore_ascii_case("path").then_some(path)
            });
            let cookie = Cookie {
                origin: url.origin().ascii_serialization(),
                path: path.unwrap_or("/").to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
            };
            cookies.retain(|known| {
                (&known.origin, &known.path, &known.name)
                    != (&cookie.origin, &cookie.path, &cookie.name)
            });
            if !value.is_empty() {
                cookies.push(cookie);
            }
        }
    }
}

/// What a URL carries in its fragment, as a page that was returned to reads it.
pub fn fragment(url: &str) -> Vec<(String, String)> {
    let (_, fragment) = url.split_once('#').expect("a fragment");
    form_urlencoded::parse(fragment.as_bytes())
        .into_owned()
        .collect()
}
