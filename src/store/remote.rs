//! Objects on servers. All that is asynchronous stays in here: a thread of its own does the requests, and who wants to know waits.

use super::{Found, Scheme, Stat, Version};
use crate::error::{Error, Result};
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, ReqwestConnector};
use object_store::http::HttpBuilder;
use object_store::path::Path as Key;
use object_store::{ClientOptions, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::future::Future;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Objects are read in ranges of so many bytes, of which one is fetched ahead,
const RANGE_BYTES: u64 = 4 << 20;
/// but the first is smaller, and those behind it grow: of many a file only the start is looked at.
const FIRST_BYTES: u64 = 64 << 10;
const GROWTH: u64 = 8;

/// What is larger is put there in parts of so many bytes or, lest they are too many, of more.
const PART_BYTES: u64 = 8 << 20;
const MAX_PARTS: u64 = 10_000;
const PARTS_AT_ONCE: usize = 2;

/// The servers that were asked for so far. Nothing is begun before the first is.
#[derive(Debug, Default)]
pub(super) struct Servers {
    begun: Mutex<Option<Begun>>,
}

#[derive(Debug)]
struct Begun {
    runtime: Arc<Runtime>,
    http: OneClient,
    s3: OneClient,
    buckets: HashMap<String, Arc<dyn ObjectStore>>,
}

/// Where an object is, or a folder of them: what keys start with, up to a slash.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// The URL, as it was given.
    written: PathBuf,
    runtime: Arc<Runtime>,
    store: Arc<dyn ObjectStore>,
    key: Key,
    is_folder: bool,
}

impl Servers {
    /// Where a URL leads.
    pub(super) fn at(&self, scheme: Scheme, rest: &str, written: &Path) -> Result<Remote> {
        let refused = |what: &str| Error::usage(format!("{}: {what}", written.display()));
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = match &mut *begun {
            Some(begun) => begun,
            none => none.insert(Begun::new().map_err(|source| Error::reading(written, source))?),
        };
        let (store, key) = match scheme {
            Scheme::S3 => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                let key = Key::parse(key).map_err(|_| refused("no key of a bucket; give s3://BUCKET/KEY"))?;
                let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
                if bucket.is_empty() || !bucket.bytes().all(is_of_names) {
                    return Err(refused("names no bucket; give s3://BUCKET/KEY"));
                }
                (begun.bucket(bucket).map_err(|what| refused(&what))?, key)
            }
            Scheme::Http => {
                let names = super::names_of(written);
                let is_folder = names.as_os_str().as_encoded_bytes().ends_with(b"/");
                if is_folder || names.file_name().is_none() || names.components().count() < 2 {
                    return Err(refused("names no file; folders are read from s3:// only"));
                }
                (begun.file(written).map_err(|error| refused(&innermost(&error)))?, Key::default())
            }
        };
        let is_folder = scheme == Scheme::S3 && (rest.ends_with('/') || key.as_ref().is_empty());
        let runtime = Arc::clone(&begun.runtime);
        Ok(Remote { written: written.to_owned(), runtime, store, key, is_folder })
    }
}

impl Begun {
    fn new() -> std::io::Result<Self> {
        // One that is there already is somebody else's choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Arc::new(Runtime::start()?);
        let (http, s3, buckets) = Default::default();
        Ok(Begun { runtime, http, s3, buckets })
    }

    /// A bucket, with the credentials, the region and the endpoint that the environment names; says what is wrong with these.
    fn bucket(&mut self, name: &str) -> Result<Arc<dyn ObjectStore>, String> {
        if let Some(bucket) = self.buckets.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let builder = AmazonS3Builder::from_env().with_bucket_name(name).with_http_connector(self.s3.clone());
        refuse_settings(&builder)?;
        let bucket: Arc<dyn ObjectStore> = Arc::new(builder.build().map_err(|error| innermost(&error))?);
        self.buckets.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }

    /// A store of one file, which so is asked for as it is written, with its query.
    fn file(&self, url: &Path) -> object_store::Result<Arc<dyn ObjectStore>> {
        let options = ClientOptions::new().with_allow_http(true);
        let builder = HttpBuilder::new().with_url(url.display().to_string()).with_client_options(options);
        Ok(Arc::new(builder.with_http_connector(self.http.clone()).build()?))
    }
}

/// Refuses what of the environment the library takes on trust, and panics over.
fn refuse_settings(builder: &AmazonS3Builder) -> Result<(), String> {
    use AmazonS3ConfigKey::{AccessKeyId, Endpoint, Region, S3Endpoint, Token};
    for key in [AccessKeyId, Token, Region, Endpoint, S3Endpoint] {
        let Some(value) = builder.get_config_value(&key) else { continue };
        let is_url = || reqwest::Url::parse(&value).is_ok();
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) || (matches!(key, Endpoint | S3Endpoint) && !is_url()) {
            let name = key.as_ref().to_ascii_uppercase();
            return Err(format!("{name} in the environment is not what it should be; see how it is set"));
        }
    }
    Ok(())
}

/// One client for all that is connected with it, so that they share connections.
#[derive(Clone, Debug, Default)]
struct OneClient(Arc<OnceLock<HttpClient>>);

impl HttpConnector for OneClient {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let client = ReqwestConnector::default().connect(options)?;
        Ok(self.0.get_or_init(|| client).clone())
    }
}

/// The thread that does requests.
#[derive(Debug)]
struct Runtime(Option<tokio::runtime::Runtime>);

/// What comes of a request.
pub(super) struct Answer<T>(Receiver<std::io::Result<T>>);

impl Runtime {
    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("dehusk-requests")
            .enable_all()
            .build()?;
        Ok(Runtime(Some(runtime)))
    }

    /// Begins a request. Not by the library's own way of waiting, which panics where the caller is a task itself.
    fn request<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Answer<T> {
        let (sender, receiver) = sync_channel(1);
        if let Some(runtime) = &self.0 {
            runtime.spawn(async move {
                let answer = request.await.map_err(|error| told(&error));
                // Nobody may want to know any more.
                let _ = sender.send(answer);
            });
        }
        Answer(receiver)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // What is still under way is nobody's. To wait for it would panic where the caller is a task itself.
            runtime.shutdown_background();
        }
    }
}

impl<T> Answer<T> {
    pub(super) fn wait(self) -> std::io::Result<T> {
        self.0.recv().unwrap_or_else(|_| Err(std::io::Error::other("the request was given up")))
    }
}

impl Remote {
    pub(super) fn written(&self) -> &Path {
        &self.written
    }

    pub(super) fn is_folder(&self) -> bool {
        self.is_folder
    }

    pub(super) fn as_folder(&self) -> Self {
        let mut folder = self.clone();
        if !folder.is_folder {
            folder.is_folder = true;
            folder.written.as_mut_os_string().push("/");
        }
        folder
    }

    pub(super) fn join(&self, relative: &Path) -> Result<Self> {
        let folder = self.as_folder();
        let written = folder.written.join(relative);
        let of_parts = relative.to_str().and_then(|relative| Key::parse(format!("{}/{relative}", self.key)).ok());
        let Some(key) = of_parts else {
            return Err(Error::usage(format!("{}: is no key of a bucket; rename the input", written.display())));
        };
        Ok(Remote { written, key, is_folder: false, ..folder })
    }

    /// Asks what is there.
    pub(super) fn ask_stat(&self) -> Answer<Stat> {
        self.runtime.request(stat(Arc::clone(&self.store), self.key.clone(), self.is_folder))
    }

    /// Asks whether something is there.
    pub(super) fn ask_taken(&self) -> Answer<bool> {
        let stat = stat(Arc::clone(&self.store), self.key.clone(), self.is_folder);
        self.runtime.request(async move {
            match stat.await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// All objects of a folder, sorted by key.
    pub(super) fn list(&self) -> std::io::Result<Vec<Found>> {
        let objects = self.store.list(Some(&self.key));
        let mut objects: Vec<ObjectMeta> = self.runtime.request(objects.try_collect()).wait()?;
        objects.sort_unstable_by(|one, other| one.location.cmp(&other.location));
        let found = |meta: ObjectMeta| {
            let below: PathBuf = meta.location.prefix_match(&self.key)?.map(|part| part.as_ref().to_owned()).collect();
            let remote = Remote { written: self.written.join(&below), key: meta.location.clone(), ..self.clone() };
            let address = super::Address::Remote(Remote { is_folder: false, ..remote });
            (!below.as_os_str().is_empty()).then(|| Found { address, relative: below, stat: Some(stat_of(&meta)) })
        };
        Ok(objects.into_iter().filter_map(found).collect())
    }

    /// Reads a version of so many bytes.
    pub(super) fn read(&self, bytes: u64, version: &Version) -> Ranges {
        Ranges {
            remote: self.clone(),
            version: version.clone(),
            bytes,
            next: 0,
            step: FIRST_BYTES,
            ahead: None,
            current: Cursor::default(),
            position: Arc::default(),
        }
    }

    /// Puts a whole file there, at once or not at all: what is large goes in parts, which become an object when all are there.
    pub(crate) fn put(&self, mut file: File) -> std::io::Result<()> {
        let bytes = file.metadata()?.len();
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        if bytes <= PART_BYTES {
            let mut whole = Vec::new();
            file.read_to_end(&mut whole)?;
            return self.runtime.request(async move { store.put(&key, whole.into()).await.map(drop) }).wait();
        }
        let upload = self.runtime.request(async move { store.put_multipart(&key).await }).wait()?;
        let mut upload = Upload { runtime: &self.runtime, upload };
        match upload.put_parts(&mut file, PART_BYTES.max(bytes.div_ceil(MAX_PARTS))) {
            Ok(()) => upload.complete(),
            Err(error) => {
                // What went wrong is told already.
                let _ = upload.abort();
                Err(error)
            }
        }
    }

    /// Asks for a range, and that it is of a version of so many bytes.
    fn ask_range(&self, start: u64, end: u64, bytes: u64, version: &Version) -> Answer<Option<Vec<u8>>> {
        let (store, key, version) = (Arc::clone(&self.store), self.key.clone(), version.clone());
        self.runtime.request(async move {
            let options = GetOptions::new().with_range(Some(GetRange::Bounded(start..end)));
            let got = store.get_opts(&key, options).await?;
            let stat = stat_of(&got.meta);
            if (stat.bytes, &stat.version) != (bytes, &version) {
                return Ok(None);
            }
            let range: Vec<u8> = got.bytes().await?.into();
            if range.len() as u64 != end - start {
                // Lest it is taken for the end of the object.
                let source = "other bytes than it says".into();
                return Err(object_store::Error::Generic { store: "range", source });
            }
            Ok(Some(range))
        })
    }
}

/// An object that is put there part by part.
struct Upload<'u> {
    runtime: &'u Runtime,
    upload: Box<dyn MultipartUpload>,
}

impl Upload<'_> {
    /// Puts all that is left of a file.
    fn put_parts(&mut self, file: &mut File, part_bytes: u64) -> std::io::Result<()> {
        let mut under_way = VecDeque::new();
        loop {
            let mut part = Vec::new();
            file.by_ref().take(part_bytes).read_to_end(&mut part)?;
            if part.is_empty() {
                return under_way.into_iter().try_for_each(Answer::wait);
            }
            if under_way.len() == PARTS_AT_ONCE {
                under_way.pop_front().map_or(Ok(()), Answer::wait)?;
            }
            under_way.push_back(self.runtime.request(self.upload.put_part(part.into())));
        }
    }

    fn complete(self) -> std::io::Result<()> {
        let Upload { runtime, mut upload } = self;
        runtime.request(async move { upload.complete().await.map(drop) }).wait()
    }

    fn abort(self) -> std::io::Result<()> {
        let Upload { runtime, mut upload } = self;
        runtime.request(async move { upload.abort().await }).wait()
    }
}

/// What is at a key: an object, or what keys start with that are there.
async fn stat(store: Arc<dyn ObjectStore>, key: Key, is_folder: bool) -> object_store::Result<Stat> {
    if is_folder {
        return match store.list(Some(&key)).try_next().await? {
            Some(_) => Ok(Stat { is_folder, bytes: 0, version: Version::default() }),
            None => {
                let (path, source) = (key.to_string(), "no key starts so".into());
                Err(object_store::Error::NotFound { path, source })
            }
        };
    }
    let meta = match store.head(&key).await {
        // Some addresses are signed for being read, and not for being asked about. The body is not waited for.
        Err(object_store::Error::PermissionDenied { .. }) => {
            store.get_opts(&key, GetOptions::default()).await.map(|got| got.meta)
        }
        meta => meta,
    };
    meta.map(|meta| stat_of(&meta))
}

fn stat_of(meta: &ObjectMeta) -> Stat {
    // As it is spelled in a header, in a list of objects, and by a proxy that packs.
    let tag = meta.e_tag.as_deref().map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
    // In whole seconds, which is what headers have. What names its versions need not tell their times.
    let seconds = u64::try_from(meta.last_modified.timestamp()).unwrap_or(0);
    let modified = tag.is_none().then(|| std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
    Stat { is_folder: false, bytes: meta.size, version: Version { modified, tag } }
}

/// Reads an object range by range.
pub(super) struct Ranges {
    remote: Remote,
    version: Version,
    bytes: u64,
    /// Where the next range starts that was not asked for, and how long it is to be.
    next: u64,
    step: u64,
    ahead: Option<Answer<Option<Vec<u8>>>>,
    current: Cursor<Vec<u8>>,
    position: Arc<AtomicU64>,
}

impl Ranges {
    pub(super) fn position(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.position)
    }

    /// Asks for the next range, if there is one.
    fn ask(&mut self) -> Option<Answer<Option<Vec<u8>>>> {
        let (start, end) = (self.next, self.bytes.min(self.next + self.step));
        self.next = end;
        self.step = RANGE_BYTES.min(self.step * GROWTH);
        (start < end).then(|| self.remote.ask_range(start, end, self.bytes, &self.version))
    }
}

impl Read for Ranges {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let mut n_read = self.current.read(bytes)?;
        if n_read == 0 && !bytes.is_empty() {
            let Some(asked) = self.ahead.take().or_else(|| self.ask()) else { return Ok(0) };
            let Some(range) = asked.wait()? else {
                let what = "it is another than it was at first";
                return Err(std::io::Error::new(ErrorKind::StaleNetworkFileHandle, what));
            };
            // What is read in full ranges is read to its end.
            self.ahead = if self.step == RANGE_BYTES { self.ask() } else { None };
            self.current = Cursor::new(range);
            n_read = self.current.read(bytes)?;
        }
        self.position.fetch_add(n_read as u64, Ordering::Relaxed);
        Ok(n_read)
    }
}

/// What a server said, or that it said nothing, in few words.
fn told(error: &object_store::Error) -> std::io::Error {
    const STATUS: &str = "Server returned non-2xx status code: ";
    let said = innermost(error);
    let status = said.strip_prefix(STATUS).and_then(|rest| rest.split(':').next());
    let (kind, what) = match (error, status, transport(error)) {
        (object_store::Error::NotSupported { .. }, ..) => {
            (ErrorKind::NotSeekable, "the server does not give parts of it".to_owned())
        }
        (_, Some(status), _) => {
            let kind = match &status[..status.len().min(3)] {
                "404" | "410" => ErrorKind::NotFound,
                "401" | "403" => ErrorKind::PermissionDenied,
                _ => ErrorKind::ConnectionAborted,
            };
            (kind, format!("the server says {status}"))
        }
        (object_store::Error::InvalidPath { .. }, ..) => {
            (ErrorKind::InvalidFilename, format!("a key there has no place in folders ({said})"))
        }
        (object_store::Error::NotFound { .. }, ..) => (ErrorKind::NotFound, said),
        _ if said == "URL scheme is not allowed" => {
            let what = "the endpoint is http://, which takes AWS_ALLOW_HTTP=true";
            (ErrorKind::PermissionDenied, what.to_owned())
        }
        (_, _, Some(HttpErrorKind::Timeout)) => (ErrorKind::TimedOut, format!("no answer in time ({said})")),
        (_, _, Some(HttpErrorKind::Connect)) => (ErrorKind::HostUnreachable, format!("no connection ({said})")),
        _ => (ErrorKind::ConnectionAborted, format!("no proper answer ({said})")),
    };
    std::io::Error::new(kind, what)
}

/// How a request failed, if not by what the server said.
fn transport(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
    sources.find_map(|error| error.downcast_ref::<HttpError>()).map(HttpError::kind)
}

/// The first line of what is at the bottom of an error.
fn innermost(error: &object_store::Error) -> String {
    let errors = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let last = errors.last().map(ToString::to_string).unwrap_or_default();
    last.lines().next().unwrap_or_default().to_owned()
}
