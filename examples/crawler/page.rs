//! Text and links from HTML.

use dom_query::Document;
use url::Url;

pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) links: Vec<Url>,
}

/// Reads a page that came from an address. Text of which blocks are lines is what a cleaner wants: nothing is judged here.
pub(crate) fn read(html: &str, url: &Url) -> Page {
    let document = Document::from(html);
    let base = document.base_uri().and_then(|base| url.join(&base).ok());
    let base = base.as_ref().unwrap_or(url);
    let anchors = document.select("a[href]:not([rel~=nofollow])");
    let hrefs = anchors.iter().filter_map(|anchor| anchor.attr("href"));
    let links = hrefs.filter_map(|href| base.join(&href).ok()).collect();
    document.select("script, style, noscript, template, svg").remove();
    Page { text: document.select("body").formatted_text().to_string(), links }
}
