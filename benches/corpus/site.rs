//! A made-up web site: its name and the chrome that its pages repeat.

use super::words::{Marks, Rng, Vocabulary};

/// Labels that many sites share, one a line in most scraped text.
const NAV_LABELS: &[&str] = &[
    "Home",
    "About us",
    "About",
    "Contact",
    "Contact us",
    "News",
    "Sport",
    "Business",
    "Opinion",
    "Blog",
    "Events",
    "Products",
    "Services",
    "Resources",
    "Careers",
    "Jobs",
    "Community",
    "Support",
    "Help",
    "Reviews",
    "Videos",
    "Podcasts",
    "Travel",
    "Education",
    "Books",
    "Tools",
    "Partners",
    "Press",
    "FAQ",
    "Categories",
    "Archives",
    "Shop",
    "Pricing",
    "Gallery",
    "Forums",
    "Entertainment",
    "Solutions",
    "Case studies",
];
const HEADER_LINES: &[&str] = &[
    "Skip to content",
    "Skip to main content",
    "Menu",
    "Search",
    "Sign in",
    "Log in",
    "Sign up",
    "Register",
    "Subscribe",
    "Close",
    "Toggle navigation",
    "My account",
    "Advertisement",
    "English",
    "Get started",
    "Newsletter",
];
const SHARE_BARS: &[&str] = &[
    "Share this:\nFacebook\nTwitter\nLinkedIn",
    "Share\nTweet\nEmail\nPrint",
    "Share on Facebook\nShare on Twitter\nShare via Email",
    "Facebook Twitter Pinterest WhatsApp Email",
    "Share this article\nCopy link",
    "Follow us\nFacebook\nInstagram\nYouTube\nRSS",
];
const NEWSLETTERS: &[&str] = &[
    "Sign up for our newsletter\nGet the best of {name} in your inbox every week.\nEmail address",
    "Subscribe to {name}\nNever miss a story. You can unsubscribe at any time.\nYour email\nSubscribe",
    "✉ Join thousands of readers of {name} and receive our newsletter for free!",
    "Enjoying this story? Get the {name} newsletter.\nSign me up",
];
const COOKIE_NOTICES: &[&str] = &[
    "We use cookies to ensure that we give you the best experience on our website. If you continue to use this site \
     we will assume that you are happy with it.\nAccept",
    "{name} and its partners use cookies and similar technologies to measure traffic, show relevant advertising and \
     improve our services. You can change your choice at any time.\nAccept all\nManage preferences",
    "This website uses cookies. By continuing to browse you agree to our use of cookies.\nGot it!\nLearn more",
    "By using {domain} you accept our Cookie Policy.\nOK",
];
const RELATED_HEADINGS: &[&str] = &[
    "Related articles",
    "Related posts",
    "You may also like",
    "Most read",
    "Trending now",
    "More from {name}",
    "Recommended for you",
    "Recent posts",
];
const FOOTER_LINES: &[&str] = &[
    "Privacy Policy",
    "Terms of Use",
    "Terms of Service",
    "Terms & Conditions",
    "Cookie Policy",
    "Accessibility",
    "Sitemap",
    "Advertise",
    "Legal",
    "Back to top",
    "Contact us",
    "Careers",
    "Do not sell my personal information",
    "Powered by WordPress",
    "Newsletters",
    "Site map",
    "Imprint",
];
const COPYRIGHTS: &[&str] = &[
    "© 2026 {name}. All rights reserved.",
    "Copyright © 2019–2026 {name}",
    "Copyright 2026 {name}. All rights reserved.",
    "(c) {name} 2026",
    "Copyright (c) 2026 {name}. Reproduction in whole or in part without permission is prohibited.",
    "All content on {domain} is copyright {name} and its licensors.",
];
const KINDS: &[&str] = &[
    "Gazette", "Times", "Review", "Journal", "Blog", "Weekly", "Online", "Forum", "Magazine", "Wiki", "Store", "Post",
];
const SUFFIXES: &[&str] = &["com", "com", "com", "org", "net", "co.uk", "com.au", "de", "fr", "io"];

/// How a site's body lines are set apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One line after the other, as HTML converters write them.
    Tight,
    /// A blank line between any two.
    Spaced,
}

/// One site. The blocks of chrome are whole lines joined by newlines, without one at the end.
pub(crate) struct Site {
    /// The registrable domain.
    pub(crate) domain: String,
    /// How body lines are set apart.
    pub(crate) layout: Layout,
    /// The sections that URLs and breadcrumbs name.
    pub(crate) sections: Vec<String>,
    header: String,
    share_bar: String,
    newsletter: String,
    cookie_notice: String,
    related_heading: String,
    /// Headlines that many pages of the site point to, most popular first.
    popular: Vec<String>,
    /// Paragraphs that are put under many articles: about the author, a disclaimer.
    notes: Vec<String>,
    footer: String,
}

impl Site {
    /// Makes up a site.
    pub(crate) fn new(words: &Vocabulary, layout: Layout, rng: &mut Rng) -> Self {
        let mut name = String::new();
        words.rare_capitalised(rng, &mut name);
        let domain = format!("{}-{}.{}", name.to_lowercase(), words.rare(rng), rng.pick(SUFFIXES));
        name.push(' ');
        name.push_str(rng.pick(KINDS));
        let fill = |phrase: &str| phrase.replace("{name}", &name).replace("{domain}", &domain);

        let sections: Vec<String> = (0..rng.between(1, 4)).map(|_| headline(words, 1, rng)).collect();
        let popular = (0..20).map(|_| headline_between(words, 7, 12, rng)).collect();
        let notes = (0..rng.between(1, 3))
            .map(|_| {
                let mut note = fill("About {name}: ");
                for _ in 0..rng.between(2, 4) {
                    words.sentence(Marks::one_in(8, rng), rng, &mut note);
                    note.push(' ');
                }
                note.push_str("Read our terms.");
                note
            })
            .collect();
        Self {
            header: header(words, &name, &sections, rng),
            share_bar: rng.pick(SHARE_BARS).to_owned(),
            newsletter: fill(rng.pick(NEWSLETTERS)),
            cookie_notice: fill(rng.pick(COOKIE_NOTICES)),
            related_heading: fill(rng.pick(RELATED_HEADINGS)),
            footer: footer(&fill(rng.pick(COPYRIGHTS)), rng),
            layout,
            popular,
            notes,
            sections,
            domain,
        }
    }

    /// Appends what stands above the article, each line with its newline.
    pub(crate) fn top(&self, rng: &mut Rng, out: &mut String) {
        push_block(&self.header, out);
        if rng.one_in(8) {
            push_block("Advertisement", out);
        }
    }

    /// Appends what stands below the article, each line with its newline. What is shown varies from page to page.
    pub(crate) fn bottom(&self, words: &Vocabulary, rng: &mut Rng, out: &mut String) {
        if !rng.one_in(3) {
            push_block(&self.share_bar, out);
        }
        if rng.one_in(3) {
            push_block(&self.notes[rng.zipf(self.notes.len())], out);
        }
        if rng.one_in(2) {
            push_block(&self.newsletter, out);
        }
        if !rng.one_in(4) {
            push_block(&self.related_heading, out);
            let first = rng.zipf(self.popular.len());
            for popular in self.popular.iter().cycle().skip(first).take(rng.place(4) + 2) {
                if rng.one_in(3) {
                    push_block(&headline_between(words, 7, 12, rng), out);
                } else {
                    push_block(popular, out);
                }
            }
        }
        if rng.one_in(6) {
            push_block(&format!("{} comments\nLeave a comment", rng.below(400)), out);
        }
        if rng.one_in(2) {
            push_block(&self.cookie_notice, out);
        }
        push_block(&self.footer, out);
    }
}

/// Writes a headline of its own.
pub(crate) fn headline(words: &Vocabulary, n_words: u64, rng: &mut Rng) -> String {
    let mut headline = String::new();
    if n_words == 1 {
        words.rare_capitalised(rng, &mut headline);
    } else {
        words.headline(n_words, rng, &mut headline);
    }
    headline
}

fn headline_between(words: &Vocabulary, fewest: u64, most: u64, rng: &mut Rng) -> String {
    let n_words = rng.between(fewest, most);
    headline(words, n_words, rng)
}

/// The site's name, its navigation, of shared and of own labels, and a few of the lines found at the top of pages.
fn header(words: &Vocabulary, name: &str, sections: &[String], rng: &mut Rng) -> String {
    let mut lines: Vec<String> = Vec::new();
    for _ in 0..rng.between(1, 2) {
        lines.push(rng.pick(HEADER_LINES).to_owned());
    }
    lines.push(name.to_owned());
    if rng.one_in(2) {
        lines.push(headline_between(words, 4, 8, rng));
    }
    let mut labels: Vec<String> = (0..rng.between(1, 5)).map(|_| rng.pick(NAV_LABELS).to_owned()).collect();
    labels.extend_from_slice(sections);
    // Some converters put a whole bar on one line.
    match rng.below(5) {
        0 => lines.push(labels.join(" | ")),
        1 => lines.push(labels.join(" · ")),
        2 => lines.push(labels.join("\t")),
        _ => lines.append(&mut labels),
    }
    lines.join("\n")
}

fn footer(copyright: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = (0..rng.between(1, 4)).map(|_| rng.pick(FOOTER_LINES)).collect();
    if rng.one_in(2) {
        lines.push(copyright);
    } else {
        lines.insert(0, copyright);
    }
    lines.join("\n")
}

fn push_block(block: &str, out: &mut String) {
    out.push_str(block);
    out.push('\n');
}
