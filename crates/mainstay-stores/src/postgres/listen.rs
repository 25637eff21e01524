//! A connection of its own that hears what is notified on one channel.
//!
//! It takes no place of the pool: it does nothing but wait. It is asked for a sign of life from time to time, since a
//! connection that is gone without a word is silent like one on which nothing happens.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use super::errors::Failure;
use super::pool::{Pool, Target};

/// Notifications that wait to be taken; the connection waits when there are more.
const WAITING_MAX: usize = 64;
/// How often a connection is asked for a sign of life.
const SIGN_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to give one.
const SIGN_MAX: Duration = Duration::from_secs(10);

/// Hears what is notified on one channel, until the connection ends.
#[derive(Debug)]
pub struct Listener {
    client: Client,
    payloads: mpsc::Receiver<String>,
    driver: JoinHandle<()>,
}

impl Pool {
    /// A listener on a channel.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] if no connection can be made before the deadline, and what the server says to `LISTEN`.
    pub async fn listen(&self, channel: &str, deadline: Instant) -> Result<Listener, Failure> {
        let mut failure = Failure::Unavailable("no host".into());
        for target in self.driver().targets() {
            let until = deadline.min(Instant::now() + target.connect_max);
            failure = match timeout_at(until.into(), Listener::open(target, channel)).await {
                Ok(Ok(listener)) => return Ok(listener),
                Ok(Err(error)) => Failure::Unavailable(error.into()),
                Err(_) => Failure::Unavailable("the server did not answer in time".into()),
            };
        }
        Err(failure)
    }
}

impl Listener {
    async fn open(target: &Target, channel: &str) -> Result<Listener, tokio_postgres::Error> {
        let listener = match &target.tls {
            None => Listener::connect(&target.config, NoTls).await?,
            Some(tls) => Listener::connect(&target.config, tls.clone()).await?,
        };
        let name = channel.replace('\0', "").replace('"', "\"\"");
        listener.client.batch_execute(&format!("LISTEN \"{name}\"")).await?;
        Ok(listener)
    }

    async fn connect<T>(config: &Config, tls: T) -> Result<Listener, tokio_postgres::Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (client, mut connection) = config.connect(tls).await?;
        let (send, payloads) = mpsc::channel(WAITING_MAX);
        let driver = tokio::spawn(async move {
            // Ends with the connection, and then the channel does.
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(notification) = message
                    && send.send(notification.payload().to_owned()).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Listener { client, payloads, driver })
    }

    /// The next payload; `None` when the connection has ended, or gives no sign of life.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Ok(payload) = timeout(SIGN_EVERY, self.payloads.recv()).await {
                return payload;
            }
            match timeout(SIGN_MAX, self.client.batch_execute("")).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return None,
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
