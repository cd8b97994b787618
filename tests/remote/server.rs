//! A server that speaks as much HTTP/1.1 and S3 as dehusk asks for, with faults on demand: an object is at
//! `http://HOST/BUCKET/KEY`, and at `s3://BUCKET/KEY` where the endpoint is the server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// Objects by bucket and key, as in `bucket/some/key`.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

/// So many keys are in one answer to who asks for a list.
const PAGE: usize = 2;

pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: Objects,
    /// Uploads in parts that are neither complete nor given up: the object, and its parts by number.
    uploads: BTreeMap<String, (String, BTreeMap<u32, Vec<u8>>)>,
    n_uploads: usize,
    fault: Option<Box<Fault>>,
    log: Vec<String>,
}

/// Looks at a request before it is answered, and may change what there is.
type Fault = dyn FnMut(&Request, &mut Objects) -> Reaction + Send;

/// What becomes of a request.
pub(crate) enum Reaction {
    /// It is answered.
    Serve,
    /// It is answered with a status, such as `403 Forbidden`.
    Status(&'static str),
    /// Of the answer's body only so many bytes come.
    Cut(usize),
    /// It is answered as by a server that knows no ranges.
    Whole,
    /// The answer is a byte short of what it says it has.
    Short,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Bucket and key.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) range: Option<(usize, usize)>,
    body: Vec<u8>,
}

struct Response {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(Mutex::new(State::default()));
        let of_all = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let state = Arc::clone(&of_all);
                let serve = move || connection.and_then(|connection| serve(&connection, &state));
                std::thread::spawn(serve);
            }
        });
        Server { port, state }
    }

    /// With an object.
    pub(crate) fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.state().objects.insert(name.to_owned(), bytes.as_ref().to_vec());
        self
    }

    /// With something that goes wrong.
    pub(crate) fn with_fault(self, fault: impl FnMut(&Request, &mut Objects) -> Reaction + Send + 'static) -> Self {
        self.state().fault = Some(Box::new(fault));
        self
    }

    /// Where it can be reached.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All objects, by names that start so and without that start.
    pub(crate) fn objects(&self, start: &str) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        let below = state.objects.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(start)?, bytes)));
        below.map(|(name, bytes)| (name.to_owned(), bytes.clone())).collect()
    }

    /// Whether parts lie around that are of no object.
    pub(crate) fn has_loose_parts(&self) -> bool {
        !self.state().uploads.is_empty()
    }

    /// How many requests came so far whose line starts so, as in `GET bucket/key`.
    pub(crate) fn n_requests(&self, start: &str) -> usize {
        self.state().log.iter().filter(|line| line.starts_with(start)).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the server panics")
    }
}

/// Answers all requests that come over a connection.
fn serve(connection: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = Request::read(&mut reader)? {
        let mut state = state.lock().expect("no thread of the server panics");
        state.log.push(format!("{} {}", request.method, request.path));
        let State { fault, objects, .. } = &mut *state;
        let reaction = fault.as_mut().map_or(Reaction::Serve, |fault| fault(&request, objects));
        let (response, cut) = match reaction {
            Reaction::Serve => (state.answer(&request), None),
            Reaction::Status(status) => (Response::of(status, "<Error>no</Error>"), None),
            Reaction::Cut(bytes) => (state.answer(&request), Some(bytes)),
            Reaction::Short => {
                let mut response = state.answer(&request);
                response.body.pop();
                (response, None)
            }
            Reaction::Whole => (state.answer(&Request { range: None, ..request.clone() }), None),
        };
        drop(state);
        let Response { status, headers, body } = response;
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        let mut connection = connection;
        connection.write_all(head.as_bytes())?;
        if request.method != "HEAD" {
            connection.write_all(&body[..cut.unwrap_or(body.len()).min(body.len())])?;
        }
        if cut.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

impl Request {
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
        let path = decoded(path.trim_start_matches('/'));
        let mut request = Request { method: method.to_owned(), path, query, ..Request::default() };
        let mut n_bytes = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => n_bytes = value.parse().expect("it is a number"),
                "range" => {
                    let (start, end) = value.trim_start_matches("bytes=").split_once('-').expect("it is a range");
                    let number = |text: &str| text.parse().expect("it is a number");
                    request.range = Some((number(start), number(end)));
                }
                _ => {}
            }
        }
        reader.take(n_bytes).read_to_end(&mut request.body)?;
        Ok(Some(request))
    }

    fn asks(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

impl Response {
    fn of(status: &'static str, body: impl Into<String>) -> Self {
        Response { status, headers: String::new(), body: body.into().into_bytes() }
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        match request.method.as_str() {
            "GET" if request.asks("list-type").is_some() => self.list(request),
            "GET" | "HEAD" => self.get(request),
            "PUT" => self.put(request),
            "POST" => self.post(request),
            "DELETE" => {
                self.uploads.remove(request.asks("uploadId").unwrap_or_default());
                Response::of("204 No Content", "")
            }
            _ => Response::of("405 Method Not Allowed", ""),
        }
    }

    fn get(&self, request: &Request) -> Response {
        let Some(bytes) = self.objects.get(&request.path) else {
            return Response::of("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>");
        };
        let mut headers =
            format!("ETag: {}\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nAccept-Ranges: bytes\r\n", tag(bytes));
        match request.range {
            None => Response { status: "200 OK", headers, body: bytes.clone() },
            Some((start, _)) if start >= bytes.len() => Response::of("416 Range Not Satisfiable", ""),
            Some((start, end)) => {
                let end = end.min(bytes.len() - 1);
                let _ = write!(headers, "Content-Range: bytes {start}-{end}/{}\r\n", bytes.len());
                Response { status: "206 Partial Content", headers, body: bytes[start..=end].to_vec() }
            }
        }
    }

    fn list(&self, request: &Request) -> Response {
        let start = format!("{}/{}", request.path.trim_end_matches('/'), request.asks("prefix").unwrap_or_default());
        let bucket = request.path.trim_end_matches('/').len() + 1;
        let behind = request.asks("continuation-token").unwrap_or_default();
        let named = self.objects.iter().filter(|(name, _)| name.starts_with(&start) && &name[bucket..] > behind);
        let named: Vec<_> = named.map(|(name, bytes)| (&name[bucket..], bytes)).collect();
        let page = &named[..named.len().min(PAGE)];
        let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>");
        for (key, bytes) in page {
            let (key, tag, size) = (escaped(key), escaped(&tag(bytes)), bytes.len());
            let _ = write!(
                body,
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.123Z</LastModified>\
                 <ETag>{tag}</ETag><Size>{size}</Size></Contents>"
            );
        }
        if let Some((last, _)) = page.last().filter(|_| named.len() > PAGE) {
            let last = escaped(last);
            let _ = write!(body, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        let _ = write!(body, "<IsTruncated>{}</IsTruncated></ListBucketResult>", named.len() > PAGE);
        Response::of("200 OK", body)
    }

    fn put(&mut self, request: &Request) -> Response {
        let headers = format!("ETag: {}\r\n", tag(&request.body));
        match (request.asks("uploadId"), request.asks("partNumber")) {
            (Some(upload), Some(number)) => {
                let number = number.parse().expect("it is a number");
                let Some((_, parts)) = self.uploads.get_mut(upload) else {
                    return Response::of("404 Not Found", "<Error><Code>NoSuchUpload</Code></Error>");
                };
                parts.insert(number, request.body.clone());
            }
            _ => {
                self.objects.insert(request.path.clone(), request.body.clone());
            }
        }
        Response { status: "200 OK", headers, body: Vec::new() }
    }

    fn post(&mut self, request: &Request) -> Response {
        let Some(upload) = request.asks("uploadId") else {
            self.n_uploads += 1;
            let upload = format!("upload-{}", self.n_uploads);
            self.uploads.insert(upload.clone(), (request.path.clone(), BTreeMap::new()));
            let body =
                format!("<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>");
            return Response::of("200 OK", body);
        };
        let (name, parts) = self.uploads.remove(upload).expect("the upload was begun");
        let whole: Vec<u8> = parts.into_values().flatten().collect();
        let tag = escaped(&tag(&whole));
        self.objects.insert(name, whole);
        let body = format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
        Response::of("200 OK", body)
    }
}

/// What names a version of an object.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A part of a URL without its escapes.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("an escape is two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("names are UTF-8")
}
