//! A PostgreSQL database as PostgREST serves it: by PostgREST's settings (`mainstay serve --from-postgrest [FILE]`), or by
//! those of a project whose database decides.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use mainstay_http::{Answers, Listen, RequestLimits, ServerLimits, serve};
use mainstay_postgrest::settings::{LogLevel, Mistake, Notice, Place, Settings, Sources, print};
use mainstay_postgrest::{Admin, Api, Base, Door, REQUEST_TIME_MAX, Reread};
use mainstay_stores::postgres::Pool;
use tokio::net::TcpListener;

use super::listen::{self, Address};
use super::{Console, Failure, logging, signals};
use crate::project::Project;
use crate::{database_rules, wire};

/// Longest body of a request: more than any client of PostgREST sends, and less than would hurt.
const BODY_BYTES_MAX: u64 = 256 << 20;
/// Longest path and query, and most octets of all headers; PostgREST takes about as much.
const URL_BYTES_MAX: usize = 128 << 10;
const HEAD_BYTES_MAX: usize = 256 << 10;
/// How long a check waits for the database.
const CHECK_MAX: Duration = Duration::from_secs(5);

pub(super) fn run(
    file: Option<&Path>,
    listen: Option<&Address>,
    is_check: bool,
    console: &Console,
) -> Result<(), Failure> {
    let reread = reread(file.map(Path::to_owned));
    let sources = reread().map_err(refuse)?;
    let (mut settings, notices) = sources.read().map_err(refuse)?;
    if let Some(address) = listen {
        let (host, port) = address.parts();
        settings.place = Place::Tcp(host.to_owned(), port);
    }
    if is_check {
        return super::block_on(check(&sources, &settings, &notices, console));
    }
    start_log(&settings);
    notices.iter().for_each(|notice| console.note(notice.to_string()));
    super::block_on(run_api(settings, sources, reread, console))
}

/// What reads file and environment now, and whenever that is asked for.
fn reread(file: Option<PathBuf>) -> Reread {
    Arc::new(move || {
        let text = file.as_ref().map(std::fs::read_to_string).transpose().map_err(|error| {
            let path = file.as_deref().unwrap_or(Path::new("")).display();
            vec![Mistake(format!("the file {path} cannot be read ({error})"))]
        })?;
        let environment = std::env::vars_os();
        let environment =
            environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Sources::new(text.as_deref(), environment.collect())
    })
}

fn refuse(mistakes: Vec<Mistake>) -> Failure {
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Failure::Usage(mistakes.join("\n"))
}

fn start_log(settings: &Settings) {
    let level = match settings.log_level {
        LogLevel::Crit | LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    let queries = if settings.log_query { ",mainstay::query=info" } else { "" };
    logging::start_with(&format!("{level}{queries}"), "auto");
}

/// Tells the settings that count, the database's own among them where it answers.
async fn check(sources: &Sources, settings: &Settings, notices: &[Notice], console: &Console) -> Result<(), Failure> {
    let pool = Pool::new(settings.database.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let asked = sources.with_database(&pool, settings, Instant::now() + CHECK_MAX).await;
    let sources = match asked {
        Ok(found) => {
            found.read().map_err(refuse)?;
            found
        }
        Err(failure) => {
            console.note(format!("the database does not answer, so its own settings are not known: {failure}"));
            sources.clone()
        }
    };
    pool.close().await;
    notices.iter().for_each(|notice| console.note(notice.to_string()));
    console.line(print(&sources).trim_end());
    Ok(())
}

async fn run_api(settings: Settings, sources: Sources, reread: Reread, console: &Console) -> Result<(), Failure> {
    let pool = Pool::new(settings.database.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (place, admin) = (settings.place.clone(), settings.admin.clone());
    let api = Api::new(pool, settings, Base::Root, None, request_limits());
    let stop = signals::stop().context("cannot listen for signals")?;
    #[cfg(unix)]
    signals::spare_reloads().context("cannot listen for signals")?;
    let (stopping, is_stopping) = tokio::sync::watch::channel(false);
    let stopped = |mut is_stopping: tokio::sync::watch::Receiver<bool>| async move {
        let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
    };
    let beginning = api.clone();
    let mut begun = tokio::spawn(async move { beginning.begin(&sources, reread).await });
    let (door, serving): (Door, tokio::task::JoinHandle<std::io::Result<()>>) = match place {
        Place::Tcp(host, port) => {
            let listener = bind(&host, port).await?;
            let address = listener.local_addr().context("the socket has no address")?;
            console.line(format!("listening on {}", listen::url(address)));
            (Door::Tcp(address), spawn(listener, api.clone(), stopped(is_stopping.clone())))
        }
        #[cfg(unix)]
        Place::Unix(path, mode) => {
            let listener = bind_unix(&path, mode)?;
            console.line(format!("listening on {}", path.display()));
            (Door::Unix(path), spawn(listener, api.clone(), stopped(is_stopping.clone())))
        }
        #[cfg(not(unix))]
        Place::Unix(..) => return Err(Failure::Usage("server-unix-socket is for Unix systems".to_owned())),
    };
    let admin = match admin {
        None => None,
        Some((host, port)) => {
            let listener = bind(&host, port).await?;
            let address = listener.local_addr().context("the socket has no address")?;
            console.line(format!("admin server on {}", listen::url(address)));
            Some(spawn(listener, Admin::new(api.clone(), door.clone()), stopped(is_stopping)))
        }
    };
    let outcome = tokio::select! {
        () = stop => Ok(()),
        // The settings of the database may be wrong; that they are right is no reason to stop.
        mistakes = async {
            match (&mut begun).await {
                Ok(Err(mistakes)) => mistakes,
                _ => std::future::pending().await,
            }
        } => Err(refuse(mistakes)),
    };
    let _ = stopping.send(true);
    serving.await.map_err(anyhow::Error::from)?.context("serving failed")?;
    if let Some(admin) = admin {
        admin.await.map_err(anyhow::Error::from)?.context("serving failed")?;
    }
    begun.abort();
    #[cfg(unix)]
    if let Door::Unix(path) = &door {
        let _ = std::fs::remove_file(path); // Gone already is as good.
    }
    outcome
}

/// Serves a project whose database decides.
pub(super) async fn serve_project(project: &Project, console: &Console) -> Result<(), Failure> {
    let listener = listen::listen(&project.settings.server).await?;
    let url = listen::url(listener.local_addr().context("the socket has no address")?);
    let api = database_rules::api(project)?;
    let stop = signals::stop().context("cannot listen for signals")?;
    console.line(format!("listening on {url}"));
    api.keep();
    let served = serve(listener, api.clone(), wire::server_limits(&project.settings), stop).await;
    Ok(served.context("serving failed")?)
}

fn spawn<L: Listen + Sync + 'static>(
    listener: L,
    answers: impl Answers,
    stop: impl Future<Output = ()> + Send + 'static,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    let limits = ServerLimits { headers_max: 200, head_bytes_max: HEAD_BYTES_MAX * 2, ..ServerLimits::default() };
    tokio::spawn(serve(listener, answers, limits, stop))
}

fn request_limits() -> RequestLimits {
    RequestLimits {
        body_bytes_max: BODY_BYTES_MAX,
        body_time: REQUEST_TIME_MAX,
        url_bytes_max: URL_BYTES_MAX,
        headers_max: 200,
        head_bytes_max: HEAD_BYTES_MAX,
        handler_time: REQUEST_TIME_MAX,
        ..RequestLimits::default()
    }
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind((host, port)).await;
    Ok(listener.with_context(|| format!("cannot listen on {host}:{port}"))?)
}

/// A socket in the file system. One that is there already is taken for what an ended process left.
#[cfg(unix)]
fn bind_unix(path: &Path, mode: u32) -> Result<tokio::net::UnixListener, Failure> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};

    let place = || format!("cannot listen on {}", path.display());
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path).with_context(place)?;
    }
    let listener = tokio::net::UnixListener::bind(path).with_context(place)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).with_context(place)?;
    Ok(listener)
}
