//! Messages and progress, on standard error.

use anstyle::{AnsiColor, Style};
use dehusk::Config;
use dehusk::config::{Color, Progress as How};
use dehusk::run::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// How often a line of progress is told where there is no bar.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

pub(crate) fn set_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

pub(crate) fn error(message: &str) {
    tell(&format!("{ERROR}error:{ERROR:#} {message}"));
}

pub(crate) fn warn(message: &str) {
    tell(&format!("{WARNING}warning:{WARNING:#} {message}"));
}

pub(crate) fn say(message: &str) {
    tell(message);
}

/// A text with its control characters made visible, so that none of them reaches the terminal as a command.
pub(crate) fn printable(text: &str) -> String {
    let show = |character: char| match character {
        '\n' | '\t' => character,
        '\r' => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().map(show).collect()
}

fn tell(line: &str) {
    // Standard error may be closed; there is nobody to tell that to.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Shows a run's progress.
pub(crate) struct Screen {
    kind: Kind,
    is_quiet: bool,
    /// Set when the run should stop.
    stop: Arc<AtomicBool>,
    /// Whether that was told.
    told_stop: AtomicBool,
}

enum Kind {
    Bar(ProgressBar),
    Plain(Mutex<Plain>),
    Off,
}

struct Plain {
    phase: Phase,
    done: u64,
    total: Option<u64>,
    started: Instant,
    told: Instant,
}

impl Screen {
    pub(crate) fn new(config: &Config) -> Self {
        let is_bar = config.progress == How::Auto && std::io::stderr().is_terminal();
        let kind = match config.progress {
            _ if config.quiet => Kind::Off,
            How::Off => Kind::Off,
            _ if is_bar => Kind::Bar(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())),
            How::Auto | How::Plain => {
                let now = Instant::now();
                Kind::Plain(Mutex::new(Plain { phase: Phase::Survey, done: 0, total: None, started: now, told: now }))
            }
        };
        Screen { kind, is_quiet: config.quiet, stop: Arc::default(), told_stop: AtomicBool::new(false) }
    }

    /// Has the first signal to end note that the run should stop, and the second end the process at once.
    pub(crate) fn heed_signals(&self) -> std::io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        for signal in [SIGINT, SIGTERM] {
            // In this order: what the first signal sets, the second finds set.
            signal_hook::flag::register_conditional_shutdown(signal, crate::STOPPED.into(), Arc::clone(&self.stop))?;
            signal_hook::flag::register(signal, Arc::clone(&self.stop))?;
        }
        Ok(())
    }

    fn tell_warning(&self, message: &str) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(|| warn(message)),
            Kind::Plain(_) | Kind::Off => warn(message),
        }
    }
}

impl Progress for Screen {
    fn begin(&self, phase: Phase, bytes: Option<u64>) {
        match &self.kind {
            Kind::Bar(bar) => {
                let template = match bytes {
                    Some(_) => "{msg:8} {bar:32} {bytes:>11} of {total_bytes}  {bytes_per_sec}  {eta} left",
                    None => "{msg:8} {spinner} {bytes}  {bytes_per_sec}",
                };
                bar.reset();
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                if let Some(bytes) = bytes {
                    bar.set_length(bytes);
                }
                bar.set_message(phase.name());
            }
            Kind::Plain(plain) => {
                let now = Instant::now();
                let mut plain = plain.lock().unwrap_or_else(PoisonError::into_inner);
                *plain = Plain { phase, done: 0, total: bytes, started: now, told: now };
            }
            Kind::Off => {}
        }
    }

    fn advance(&self, bytes: u64) {
        match &self.kind {
            Kind::Bar(bar) => bar.inc(bytes),
            Kind::Plain(plain) => plain.lock().unwrap_or_else(PoisonError::into_inner).advance(bytes),
            Kind::Off => {}
        }
    }

    fn warn(&self, message: &str) {
        if self.is_quiet {
            return;
        }
        self.tell_warning(message);
    }

    fn end(&self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }

    fn is_stopped(&self) -> bool {
        let is_stopped = self.stop.load(Ordering::Relaxed);
        if is_stopped && !self.told_stop.swap(true, Ordering::Relaxed) && !self.is_quiet {
            self.tell_warning("stopping when the files in hand are done; the same signal once more stops at once");
        }
        is_stopped
    }
}

impl Plain {
    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        let now = Instant::now();
        if now - self.told < PLAIN_INTERVAL {
            return;
        }
        self.told = now;
        let seconds = (now - self.started).as_secs_f64();
        let rate = self.done as f64 / seconds;
        let phase = self.phase.name();
        let (done, rate_mb) = (self.done as f64 / 1e6, rate / 1e6);
        let line = match self.total {
            Some(total) => {
                let left = total.saturating_sub(self.done) as f64 / rate;
                format!("{phase}: {done:.0} of {:.0} MB, {rate_mb:.0} MB/s, {left:.0} s left", total as f64 / 1e6)
            }
            None => format!("{phase}: {done:.0} MB, {rate_mb:.0} MB/s"),
        };
        say(&line);
    }
}
