//! Output at the end, beside the signals: an unread pipe keeps no process alive, and one more signal ends it at
//! once.

use std::time::Duration;

use tokio::sync::oneshot;

use super::log::Log;
use super::output;
use super::signals::Signals;

/// Why output was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The reader of the output does not read.
    Deaf,
    /// This process was told to end once more.
    Told,
}

/// Longest pause of a reader. A slow reader that reads is waited for.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Interval of checks whether it reads.
const EACH: Duration = Duration::from_millis(50);

/// Ends the log, writes files and standard output, and prints the last words, the most important output first.
/// `words` are given the failed writes. Returns whether all was written.
pub async fn part(
    signals: &mut Signals,
    log: Log,
    files: impl FnOnce() -> Vec<String> + Send + 'static,
    output: impl FnOnce() -> Vec<String> + Send + 'static,
    words: impl FnOnce(Vec<String>) + Send + 'static,
) -> bool {
    let Ok(mut failures) = write(signals, files).await else { return false };
    let heard = say(signals, move || log.end()).await;
    if heard == Err(Cut::Told) {
        return false;
    }
    match say(signals, output).await {
        Ok(more) => failures.extend(more),
        Err(Cut::Deaf) => failures.push(DEAF.to_owned()),
        Err(Cut::Told) => return false,
    }
    let is_written = failures.is_empty();
    if heard.is_ok() {
        // A failure of the last words has no place left to be reported.
        let _ = say(signals, move || words(failures)).await;
    }
    is_written
}

const DEAF: &str = "error: nobody reads standard output: what stands there is not whole; have it read, or give \
                    `--report` a file\n";

/// Writes files: disks are waited for.
async fn write<T: Send + 'static>(
    signals: &mut Signals,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Cut> {
    beside(signals, std::future::pending(), work).await
}

/// Writes to standard output or standard error.
async fn say<T: Send + 'static>(
    signals: &mut Signals,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Cut> {
    let deaf = async {
        let (mut written, mut waited) = (output::written(), Duration::ZERO);
        while waited < PATIENCE {
            tokio::time::sleep(EACH).await;
            let now = output::written();
            waited = if now == written { waited + EACH } else { Duration::ZERO };
            written = now;
        }
    };
    beside(signals, deaf, work).await
}

/// Works on a thread that is left behind where it hangs: it ends with the process.
async fn beside<T: Send + 'static>(
    signals: &mut Signals,
    deaf: impl Future<Output = ()>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Cut> {
    let (sender, done) = oneshot::channel();
    let work = move || {
        // The receiver is gone when the work was cut short.
        let _ = sender.send(work());
    };
    // Without a thread, nothing can be written.
    let _ = std::thread::Builder::new().name("fracas-parting".to_owned()).spawn(work);
    tokio::select! {
        biased;
        done = done => done.map_err(|_| Cut::Deaf),
        _ = signals.next() => Err(Cut::Told),
        () = deaf => Err(Cut::Deaf),
    }
}
