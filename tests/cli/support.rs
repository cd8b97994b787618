//! A folder to run the command in, and what came of a run.

use assert_cmd::cargo::cargo_bin_cmd;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use tempfile::TempDir;

/// A sentence that is long enough to be dropped as a repeat.
pub(crate) const SHIP: &str =
    "The ship left the harbour at dawn, with forty people and a cat on board, bound for the northern isles.";
/// Another one.
pub(crate) const BAKER: &str =
    "The baker of the lower town opened his shop at four every morning, and nobody ever asked him why.";

/// A folder in which the command is run; paths are relative to it, so that messages can be compared whole.
pub(crate) struct Folder(TempDir);

/// What came of running the command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    /// With `_` for the seconds that a run took.
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    /// With a file, whose folder is made if need be.
    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        std::fs::write(path, content).expect("a file can be written");
        self
    }

    /// With a folder.
    pub(crate) fn with_folder(self, name: &str) -> Self {
        std::fs::create_dir_all(self.path(name)).expect("a folder can be made");
        self
    }

    /// With a symbolic link.
    pub(crate) fn with_link(self, name: &str, target: &str) -> Self {
        std::os::unix::fs::symlink(target, self.path(name)).expect("a link can be made");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("the file can be read")
    }

    /// The text of a file.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        assert!(self.exists(name), "{name} is not there, but only {:?}", self.files("."));
        String::from_utf8(self.bytes(name)).expect("the file is UTF-8")
    }

    /// A file as JSON.
    #[track_caller]
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).expect("the file is JSON")
    }

    /// A journal's lines.
    #[track_caller]
    pub(crate) fn journal(&self, name: &str) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).expect("a line of a journal is JSON");
        self.read(name).lines().map(parse).collect()
    }

    /// All files in a folder, by their paths in it, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        let root = self.path(name);
        let mut files: Vec<String> = walkdir::WalkDir::new(&root)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| !entry.file_type().is_dir())
            .map(|entry| relative(entry.path(), &root))
            .collect();
        files.sort();
        files
    }

    /// All files in a folder, with their bytes; links to folders as such.
    pub(crate) fn tree(&self, name: &str) -> Vec<(String, Option<Vec<u8>>)> {
        let read = |file: String| {
            let bytes = std::fs::read(self.path(name).join(&file)).ok();
            (file, bytes)
        };
        self.files(name).into_iter().map(read).collect()
    }

    /// Starts `dehusk` with arguments that have no spaces in them, and waits for nothing.
    pub(crate) fn start(&self, arguments: &str) -> Child {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dehusk"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the command can be run")
    }

    /// Runs a script of the shell, in which `$DEHUSK` is the command.
    pub(crate) fn shell(&self, script: &str) -> Ran {
        let mut command = std::process::Command::new("sh");
        command.current_dir(self.0.path()).env("DEHUSK", env!("CARGO_BIN_EXE_dehusk")).args(["-c", script]);
        Ran::of(&command.output().expect("there is a shell"))
    }

    /// Runs `dehusk` with arguments that have no spaces in them.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.run_on("", arguments)
    }

    /// What `dehusk` writes to standard output, which need not be text.
    pub(crate) fn output_of(&self, arguments: &str) -> Vec<u8> {
        let mut command = cargo_bin_cmd!("dehusk");
        let output = command.current_dir(self.0.path()).args(arguments.split_whitespace()).output();
        output.expect("the command can be run").stdout
    }

    /// Runs `dehusk` with something on its standard input.
    pub(crate) fn run_on(&self, stdin: impl AsRef<[u8]>, arguments: &str) -> Ran {
        let mut command = cargo_bin_cmd!("dehusk");
        command.current_dir(self.0.path()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.args(arguments.split_whitespace()).write_stdin(stdin.as_ref()).output();
        Ran::of(&output.expect("the command can be run"))
    }
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the command writes UTF-8");
        let stderr = text(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let code = output.status.code().expect("no signal ends the command");
        Ran { code, stdout: text(&output.stdout), stderr: without_seconds(&stderr) }
    }

    /// That the exit code and all of standard error are these, each line of it without its newline.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, stderr: &[&str]) -> &Self {
        assert_eq!((self.code, self.stderr.lines().collect::<Vec<_>>()), (code, stderr.to_vec()), "{}", self.stdout);
        self
    }

    /// That the exit code is this one, whatever was told.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// That all of standard output is this.
    #[track_caller]
    pub(crate) fn says(&self, stdout: &str) -> &Self {
        assert_eq!(self.stdout, stdout, "{}", self.stderr);
        self
    }
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// Summaries end in the seconds that it took: `…; 0.01 s`.
fn without_seconds(text: &str) -> String {
    let mut lines = String::new();
    for line in text.split_inclusive('\n') {
        match line.rsplit_once("; ") {
            Some((before, seconds))
                if seconds.strip_suffix(" s\n").is_some_and(|number| number.parse::<f64>().is_ok()) =>
            {
                lines.push_str(before);
                lines.push_str("; _ s\n");
            }
            _ => lines.push_str(line),
        }
    }
    lines
}

/// The extensions of the packed files that are read and written.
pub(crate) const PACKED: [&str; 5] = ["gz", "zst", "xz", "bz2", "lz4"];

/// Bytes as the library that belongs to an extension packs them, with the checksum that its program writes.
pub(crate) fn packed(extension: &str, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    use std::io::Write;
    let bytes = bytes.as_ref();
    let fails = "memory can be written";
    match extension {
        "gz" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect(fails)
        }
        "zst" => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect(fails);
            encoder.include_checksum(true).and_then(|()| encoder.write_all(bytes)).expect(fails);
            encoder.finish().expect(fails)
        }
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect(fails)
        }
        "bz2" => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect(fails)
        }
        "lz4" => {
            let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(bytes).expect(fails);
            encoder.finish().expect(fails)
        }
        _ => unreachable!("{extension}"),
    }
}

/// What was packed so; nothing if it is not.
pub(crate) fn unpacked(extension: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut text = Vec::new();
    let read = match extension {
        "gz" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut text),
        "zst" => zstd::Decoder::new(bytes).and_then(|decoder| decoder.single_frame().read_to_end(&mut text)),
        "xz" => liblzma::read::XzDecoder::new(bytes).read_to_end(&mut text),
        "bz2" => bzip2::read::BzDecoder::new(bytes).read_to_end(&mut text),
        "lz4" => lz4_flex::frame::FrameDecoder::new(bytes).read_to_end(&mut text),
        _ => unreachable!("{extension}"),
    };
    read.ok().map(|_| text)
}
