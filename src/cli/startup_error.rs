//! Errors that keep a command from starting, in the shape of a mistake in a rules file: a code, the fault,
//! and advice.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use annotate_snippets::{Group, Level, Renderer};

use super::exit_code::UNUSABLE;
use super::output::{counted, paint, talk};
use crate::model::sanitize;
use crate::proxy::{ConnectorError, StartError};
use crate::rules::{Diagnostic, Mistakes, Paint};

/// An error that kept a command from starting.
#[derive(Debug)]
pub enum StartupError {
    /// The rules, the flags or the variables cannot be used.
    Mistakes(Mistakes),
    /// The surroundings are in the way.
    Start {
        /// Stable, as the codes of rules files.
        code: &'static str,
        /// One line, lower case, without a full stop.
        title: String,
        help: String,
    },
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartupError::Mistakes(mistakes) => mistakes.fmt(f),
            StartupError::Start { title, .. } => f.write_str(title),
        }
    }
}

impl Error for StartupError {}

impl StartupError {
    pub fn new(code: &'static str, title: impl Into<String>, help: impl Into<String>) -> StartupError {
        StartupError::Start { code, title: title.into(), help: help.into() }
    }

    /// A flag that parses and has no behaviour yet.
    pub fn not_yet(flag: &str) -> StartupError {
        let title = format!("`{flag}` is understood, but not built yet");
        StartupError::new("not-yet", title, format!("leave `{flag}` out; it comes in a later version"))
    }

    /// An address that cannot be listened on.
    pub fn listen(address: SocketAddr, error: &io::Error) -> StartupError {
        let port = address.port();
        match error.kind() {
            io::ErrorKind::AddrInUse => StartupError::new(
                "port-taken",
                format!("port {port} is taken: something else listens on {address}"),
                format!("stop it, or take a free port with `--listen {}`", SocketAddr::new(address.ip(), 0)),
            ),
            io::ErrorKind::PermissionDenied => StartupError::new(
                "no-permission",
                format!("this user may not listen on {address}"),
                if port < 1024 {
                    format!(
                        "ports below 1024 are the administrator's; try `--listen {}`",
                        SocketAddr::new(address.ip(), port.saturating_add(8000))
                    )
                } else {
                    "choose another address with `--listen`".to_owned()
                },
            ),
            io::ErrorKind::AddrNotAvailable => StartupError::new(
                "no-such-address",
                format!("{} is not an address of this machine", address.ip()),
                format!("listen on 127.0.0.1:{port} for this machine alone, or on 0.0.0.0:{port} for all"),
            ),
            _ => StartupError::new(
                "cannot-listen",
                format!("cannot listen on {address}: {error}"),
                "choose another address with `--listen`",
            ),
        }
    }

    /// As [`StartupError::report`], for commands that start nothing.
    pub fn report_alone(&self) -> ExitCode {
        match self {
            StartupError::Mistakes(mistakes) => talk(mistakes.render(paint(&io::stderr()))),
            StartupError::Start { .. } => return self.report(),
        }
        ExitCode::from(UNUSABLE)
    }

    /// Prints the error, and returns the exit code.
    pub fn report(&self) -> ExitCode {
        let paint = paint(&io::stderr());
        match self {
            StartupError::Mistakes(mistakes) => {
                let count = counted(mistakes.errors as u64, "mistake");
                talk(format_args!("{}\n{count}; nothing was started\n", mistakes.render(paint)));
            }
            StartupError::Start { code, title, help } => talk(render(code, title, help, paint)),
        }
        ExitCode::from(UNUSABLE)
    }
}

fn render(code: &str, title: &str, help: &str, paint: Paint) -> String {
    let renderer = match paint {
        Paint::Plain => Renderer::plain(),
        Paint::Coloured => Renderer::styled(),
    };
    let title = sanitize(title, LONGEST);
    let group =
        Group::with_title(Level::ERROR.primary_title(&*title).id(code)).element(Level::HELP.message(help));
    format!("{}\n", renderer.render(&[group]))
}

/// Characters of a title: a path or an address in it may be anyone's.
const LONGEST: usize = 500;

impl From<Mistakes> for StartupError {
    fn from(mistakes: Mistakes) -> StartupError {
        StartupError::Mistakes(mistakes)
    }
}

impl From<Diagnostic> for StartupError {
    fn from(mistake: Diagnostic) -> StartupError {
        StartupError::Mistakes(mistake.into())
    }
}

impl From<StartError> for StartupError {
    fn from(error: StartError) -> StartupError {
        match error {
            StartError::Listen(address, error) => StartupError::listen(address, &error),
            StartError::Upstream(ConnectorError::File(mistake)) => StartupError::from(*mistake),
            StartError::Upstream(ConnectorError::ServerName) => StartupError::new(
                "bad-url",
                "the upstream's host is not a name that a certificate can be for",
                "give `--upstream` a DNS name or an IP address",
            ),
            StartError::Upstream(ConnectorError::Roots(why)) => StartupError::new(
                "no-roots",
                format!("no certificate authorities to check an https upstream with: {why}"),
                "install the system's CA certificates, or point SSL_CERT_FILE at a bundle",
            ),
            StartError::Tls(error) => error.mistake().into(),
            StartError::Replies(mistakes) => {
                let first = mistakes.into_iter().next();
                let (message, help) =
                    first.map_or_else(Default::default, |first| (first.message, first.suggestion));
                StartupError::new("bad-reply", format!("a reply can never be given: {message}"), help)
            }
            StartError::Journal(path, error) => StartupError::new(
                "journal",
                format!("the journal {} cannot be written: {error}", path.display()),
                match error.kind() {
                    io::ErrorKind::InvalidData => "give `--journal` a new file, or a journal of this version",
                    io::ErrorKind::ResourceBusy => {
                        "give each run a journal of its own, or wait for the other's end"
                    }
                    _ => "give `--journal` a file in a folder that this user may write to",
                },
            ),
            StartError::Randomness => StartupError::new(
                "no-randomness",
                "the system gives no random numbers, which the journal's hashes need",
                "this is the system's to mend: is `/dev/urandom` there?",
            ),
            StartError::Thread(error) => StartupError::new(
                "no-thread",
                format!("the system gives no thread to serve with: {error}"),
                "raise the limit of threads or descriptors (`ulimit -a`), or give fewer `--workers`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_shape_of_a_mistake_in_a_file() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4090));
        let taken = StartupError::listen(address, &io::Error::from(io::ErrorKind::AddrInUse));
        let StartupError::Start { code, title, help } = taken else { panic!("not about the start") };
        assert_eq!(
            render(code, &title, &help, Paint::Plain),
            "error[port-taken]: port 4090 is taken: something else listens on 127.0.0.1:4090\n \
             |\n = help: stop it, or take a free port with `--listen 127.0.0.1:0`\n"
        );
    }
}
