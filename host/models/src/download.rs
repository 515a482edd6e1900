//! One download, from the first look at what is there to the verified file under its name.
//!
//! The digest is known before a byte is kept, and grows with the bytes. A connection that breaks is
//! taken up where it ended, under the condition that the file is still the same (`If-Range`); a
//! server that has another version, or knows no ranges, sends all of it, and so it starts over.
//! It writes from the thread that polls it: run it on a runtime of its own.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::StatusCode;
use reqwest::Response;
use url::Url;

use crate::client::{Fetcher, Trouble, Wanted, passing};
use crate::digest::Digest;
use crate::error::PullError;
use crate::partial::{MAGIC, Note, Partial, beside, digest_of};
use crate::reply::{Body, Claim, strong_etag};
use crate::route::{Mirror, Route, shown};
use crate::space;

/// The largest file that is downloaded: what a machine with much memory can hold, so that a
/// server without an end does not fill the disk.
const SIZE_MAX: u64 = 256 << 30;
/// Left free on the disk: the machine needs it more than a model.
const SPACE_MARGIN: u64 = 256 << 20;
/// A server that sends nothing for so long is asked again.
const STALL: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(30);
/// Attempts without a further byte, after the first; those that bring some do not count.
const RETRIES: usize = 5;
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What is downloaded, and to where.
#[derive(Debug, Clone)]
pub struct Download {
    pub url: Url,
    /// The file; its folder is made when it is missing.
    pub place: PathBuf,
    pub expected: Expected,
    /// Bytes, when they are known.
    pub size: Option<u64>,
}

/// Where the digest comes from that the file must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Known(Digest),
    /// The named server says it before it sends a byte. Protects from a broken transfer and from
    /// whoever only stores the bytes, not from that server.
    FromServer,
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So many bytes that are there already were hashed.
    Checked { bytes: u64 },
    /// The transfer begins, or begins again, at this byte.
    Started { from: u64, total: Option<u64> },
    /// So many bytes are there.
    Arrived { bytes: u64, total: Option<u64> },
    /// It broke off and is taken up again after so long.
    Waiting { reason: String, wait: Duration },
    /// The file turned out to be another one than the one it was begun with.
    StartedOver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// False: it was there.
    pub downloaded: bool,
}

/// How downloads are done.
#[derive(Clone)]
pub struct Options {
    /// A server in the hub's stead.
    pub mirror: Option<Mirror>,
    /// May hold a password: not shown.
    pub proxy: Option<String>,
    pub stall: Duration,
    pub retries: usize,
    /// Before the first retry; it doubles from there.
    pub wait: Duration,
    /// Bytes of a file.
    pub size_max: u64,
    /// Bytes that stay free.
    pub space_margin: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mirror: None,
            proxy: None,
            stall: STALL,
            retries: RETRIES,
            wait: WAIT_MIN,
            size_max: SIZE_MAX,
            space_margin: SPACE_MARGIN,
        }
    }
}

pub struct Downloader {
    fetcher: Fetcher,
    options: Options,
}

impl Downloader {
    /// # Errors
    /// When TLS or the proxy cannot be set up.
    pub fn new(options: Options) -> Result<Self, PullError> {
        let route = Route::new(options.mirror.clone());
        let fetcher = Fetcher::new(route, options.proxy.as_deref(), CONNECT, options.stall)?;
        Ok(Self { fetcher, options })
    }

    /// Brings the file to its place, or sees that it is there. Idempotent; dropping the future
    /// keeps what arrived for the next.
    ///
    /// # Errors
    /// See [`PullError`]. Except after a wrong digest, what arrived is kept.
    pub async fn fetch(
        &self,
        download: &Download,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Fetched, PullError> {
        let place = &download.place;
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(|e| PullError::file(folder, e))?;
        }
        let _lock = lock(place)?;
        let start = self.fetcher.start(&download.url)?;
        let expected = match download.expected {
            Expected::Known(digest) => digest,
            Expected::FromServer => self.ask_digest(&start, tell).await?,
        };
        if place.exists() {
            let found = digest_of(place, &mut |bytes| tell(Event::Checked { bytes }))?;
            if found != expected {
                return Err(PullError::Occupied { path: place.clone(), expected, found });
            }
            let size = std::fs::metadata(place).map_err(|e| PullError::file(place, e))?.len();
            return Ok(Fetched { digest: found, size, downloaded: false });
        }
        let mut partial = Partial::open(place, &mut |bytes| tell(Event::Checked { bytes }))?;
        let same = |note: &Note| note.url == start.as_str() && note.digest == expected;
        let mut continued = partial.length() > 0 && partial.note().is_some_and(same);
        if !continued {
            partial.restart(note(&start, expected, None, None))?;
        }
        loop {
            let mut transfer =
                Transfer { download, start: &start, expected, options: &self.options };
            self.complete(&mut transfer, &mut partial, tell).await?;
            let found = partial.digest();
            if found == expected {
                let size = partial.length();
                partial.finish(place)?;
                return Ok(Fetched { digest: found, size, downloaded: true });
            }
            if !continued {
                partial.discard();
                return Err(PullError::WrongDigest { expected, found });
            }
            // What was there already may be what is wrong.
            continued = false;
            partial.restart(note(&start, expected, None, None))?;
            tell(Event::StartedOver);
        }
    }

    /// The digest that the server names, without reading the file.
    async fn ask_digest(
        &self,
        start: &Url,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Digest, PullError> {
        let mut patience = Patience::new(&self.options);
        loop {
            match self.fetcher.get(start, &Wanted::default()).await {
                Ok(answer) => {
                    refused(start, answer.response.status())?;
                    let none = || PullError::NoDigest { address: shown(start) };
                    return answer.claim.digest.ok_or_else(none);
                }
                Err(trouble) => patience.wait(trouble, tell).await?,
            }
        }
    }

    /// Attempts until all bytes are there.
    async fn complete(
        &self,
        transfer: &mut Transfer<'_>,
        partial: &mut Partial,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), PullError> {
        let mut patience = Patience::new(&self.options);
        loop {
            let before = partial.length();
            let version = partial.note().and_then(|note| note.version.clone());
            let wanted = Wanted { from: before, version };
            let attempt = match self.fetcher.get(transfer.start, &wanted).await {
                Ok(answer) => transfer.take(answer.response, answer.claim, partial, tell).await,
                Err(trouble) => Err(trouble),
            };
            let Err(trouble) = attempt else { return Ok(()) };
            if partial.length() > before {
                patience = Patience::new(&self.options);
            }
            patience.wait(trouble, tell).await?;
        }
    }
}

/// What stays the same over all attempts.
struct Transfer<'a> {
    download: &'a Download,
    start: &'a Url,
    expected: Digest,
    options: &'a Options,
}

impl Transfer<'_> {
    /// Takes one answer into the file. `Ok`: it is whole.
    async fn take(
        &self,
        response: Response,
        claim: Claim,
        partial: &mut Partial,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Trouble> {
        let address = || shown(self.start);
        let status = response.status();
        let body = Body::read(status, response.headers());
        let version = strong_etag(response.headers());
        let total = match body {
            None => {
                refused(self.start, status)?;
                return Err(
                    PullError::Status { address: address(), status: status.as_u16() }.into()
                );
            }
            Some(Body::Nothing { total }) => {
                if partial.length() > 0 && total.is_none_or(|total| total == partial.length()) {
                    // All of it arrived before; its digest decides.
                    return Ok(());
                }
                partial.restart(note(self.start, self.expected, None, None))?;
                let reason = "the file is shorter than what arrived of it".to_owned();
                return Err(Trouble::Passing { reason, wait: None });
            }
            Some(Body::Rest { from, total }) if from == partial.length() => total,
            Some(Body::Rest { .. }) => {
                let reason = "the server sent another part than the one asked for".to_owned();
                partial.restart(note(self.start, self.expected, None, None))?;
                return Err(Trouble::Passing { reason, wait: None });
            }
            Some(Body::Whole { total }) => {
                if partial.length() > 0 {
                    tell(Event::StartedOver);
                }
                let total = total.or(claim.size);
                partial.restart(note(self.start, self.expected, version, total))?;
                total
            }
        };
        self.check_size(total, partial)?;
        tell(Event::Started { from: partial.length(), total });
        self.copy(response, total, partial, tell).await
    }

    async fn copy(
        &self,
        mut response: Response,
        total: Option<u64>,
        partial: &mut Partial,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Trouble> {
        let max = total.or(self.download.size).unwrap_or(self.options.size_max);
        let begun = partial.length();
        let mut head = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| passing(self.start, &error))?
        {
            if chunk.len() as u64 > max.saturating_sub(partial.length()) {
                return Err(match total.or(self.download.size) {
                    Some(expected) => {
                        let found = partial.length() + chunk.len() as u64;
                        PullError::Size { expected, found }.into()
                    }
                    None => PullError::TooLarge { max }.into(),
                });
            }
            if begun == 0 && head.len() < MAGIC.len() {
                // A page instead of a file is noticed at its first bytes.
                head.extend(chunk.iter().take(MAGIC.len() - head.len()));
                if !MAGIC.starts_with(&head) {
                    return Err(PullError::NotGguf { address: shown(self.start) }.into());
                }
            }
            partial.append(&chunk)?;
            tell(Event::Arrived { bytes: partial.length(), total });
        }
        match total {
            Some(total) if partial.length() < total => Err(Trouble::Passing {
                reason: format!("{} of {total} bytes arrived", partial.length()),
                wait: None,
            }),
            _ => Ok(()),
        }
    }

    fn check_size(&self, total: Option<u64>, partial: &Partial) -> Result<(), PullError> {
        let Some(total) = total.or(self.download.size) else { return Ok(()) };
        if let Some(expected) = self.download.size
            && expected != total
        {
            return Err(PullError::Size { expected, found: total });
        }
        if total > self.options.size_max {
            return Err(PullError::TooLarge { max: self.options.size_max });
        }
        let folder = partial.path().parent().unwrap_or(Path::new("."));
        let needed =
            total.saturating_sub(partial.length()).saturating_add(self.options.space_margin);
        match space::free(folder) {
            Some(free) if free < needed => {
                Err(PullError::NoSpace { folder: folder.to_owned(), needed, free })
            }
            _ => Ok(()),
        }
    }
}

/// The waits between attempts that bring nothing.
struct Patience {
    waits: ExponentialBackoff,
    attempts: usize,
}

impl Patience {
    fn new(options: &Options) -> Self {
        let waits = ExponentialBuilder::default()
            .with_min_delay(options.wait)
            .with_max_delay(WAIT_MAX)
            .with_max_times(options.retries)
            .with_jitter()
            .build();
        Self { waits, attempts: 1 }
    }

    /// Waits before the next attempt, or ends in the trouble when there is none.
    async fn wait(
        &mut self,
        trouble: Trouble,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), PullError> {
        let (reason, asked) = match trouble {
            Trouble::Passing { reason, wait } => (reason, wait),
            Trouble::Final(error) => return Err(error),
        };
        let Some(wait) = self.waits.next() else {
            return Err(PullError::GivenUp { attempts: self.attempts, reason });
        };
        self.attempts += 1;
        let wait = wait.max(asked.unwrap_or_default().min(WAIT_MAX));
        tell(Event::Waiting { reason, wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// Statuses that no repetition changes.
fn refused(url: &Url, status: StatusCode) -> Result<(), PullError> {
    let address = || shown(url);
    match status.as_u16() {
        404 | 410 => Err(PullError::NotFound { address: address() }),
        status @ (401 | 403 | 451) => Err(PullError::Refused { address: address(), status }),
        status @ 400..500 if status != 416 => Err(PullError::Status { address: address(), status }),
        _ => Ok(()),
    }
}

fn note(url: &Url, digest: Digest, version: Option<String>, total: Option<u64>) -> Note {
    Note { url: url.to_string(), version, total, digest }
}

/// Only one process at a time writes a file or removes it. The lock's file stays: whoever deletes
/// it lets two in.
pub(crate) fn lock(place: &Path) -> Result<File, PullError> {
    let path = beside(place, "lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| PullError::file(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PullError::Busy { path: place.to_owned() }),
        Err(TryLockError::Error(source)) => Err(PullError::file(&path, source)),
    }
}
