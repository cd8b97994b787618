//! Pages from servers, which are asked no more often than they like.

use robotxt::{AccessResult, Robots, robots_url};
use std::thread;
use std::time::{Duration, Instant};
use ureq::http::StatusCode;
use ureq::http::header::LOCATION;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(30);
/// A robots.txt that asks for a longer delay gets this one.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// What came of a request.
pub(crate) enum Fetched {
    Html(String),
    Moved(Url),
    /// No page, and why.
    Nothing(String),
}

/// What is known of a host.
#[derive(Default)]
pub(crate) struct Host {
    robots: Option<Robots>,
    last_asked: Option<Instant>,
}

pub(crate) struct Fetcher {
    agent: ureq::Agent,
    /// By which robots.txt may know us.
    name: String,
    delay: Duration,
    max_bytes: u64,
}

impl Fetcher {
    pub(crate) fn new(agent: &str, delay: Duration, max_bytes: u64) -> Self {
        let config = ureq::Agent::config_builder()
            .user_agent(agent)
            .timeout_global(Some(TIMEOUT))
            // The frontier follows them.
            .max_redirects(0)
            .http_status_as_error(false);
        let name = agent.split('/').next().unwrap_or(agent);
        Fetcher { agent: config.build().into(), name: name.into(), delay, max_bytes }
    }

    /// Fetches a page, if robots.txt allows it and when the host may be asked again.
    pub(crate) fn fetch(&self, url: &Url, host: &mut Host) -> Fetched {
        if host.robots.is_none() {
            wait(host, self.delay);
            host.robots = Some(self.robots(url));
        }
        let robots = host.robots.get_or_insert_with(Robots::disallow_all);
        if !robots.is_url_allowed(url) {
            return Fetched::Nothing("robots.txt forbids it, or cannot be had".into());
        }
        let delay = robots.crawl_delay().unwrap_or(self.delay).min(MAX_DELAY);
        wait(host, delay);
        self.get(url).unwrap_or_else(|error| Fetched::Nothing(error.to_string()))
    }

    fn get(&self, url: &Url) -> Result<Fetched, ureq::Error> {
        let mut response = self.agent.get(url.as_str()).header("Accept", "text/html").call()?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let to = location.and_then(|location| url.join(location).ok());
            return Ok(to.map_or_else(|| Fetched::Nothing("moved to nowhere".into()), Fetched::Moved));
        }
        if status != StatusCode::OK {
            return Ok(Fetched::Nothing(status.to_string()));
        }
        let body = response.body_mut();
        if !body.mime_type().is_some_and(|mime_type| mime_type.eq_ignore_ascii_case("text/html")) {
            return Ok(Fetched::Nothing("it is no HTML".into()));
        }
        let html = body.with_config().limit(self.max_bytes).lossy_utf8(true).read_to_string()?;
        Ok(Fetched::Html(html))
    }

    /// What the host of a page wants of robots, after RFC 9309: no such file allows all, and one that cannot be had nothing.
    fn robots(&self, page: &Url) -> Robots {
        let name = self.name.as_str();
        let Ok(url) = robots_url(page) else { return Robots::disallow_all() };
        let Ok(mut response) = self.agent.get(url.as_str()).config().max_redirects(5).build().call() else {
            return Robots::disallow_all();
        };
        let status = response.status();
        if status.is_client_error() {
            return Robots::from_access(AccessResult::Unavailable, name);
        }
        if status != StatusCode::OK {
            return Robots::disallow_all();
        }
        Robots::from_reader(response.body_mut().as_reader(), name).unwrap_or_else(|_| Robots::disallow_all())
    }
}

/// Waits until so long after the host was asked last, and notes that it is asked now.
#[expect(clippy::disallowed_methods, reason = "to be polite takes time, and no outcome depends on it")]
fn wait(host: &mut Host, delay: Duration) {
    if let Some(last_asked) = host.last_asked {
        thread::sleep(delay.saturating_sub(last_asked.elapsed()));
    }
    host.last_asked = Some(Instant::now());
}
