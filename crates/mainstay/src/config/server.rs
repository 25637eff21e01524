//! `[server]`.

use std::time::Duration;

use super::Kind;

section! {
    /// How the API is served.
    ServerSettings in "server" {
        /// Address or host name to listen on; `0.0.0.0` for every interface.
        host: String = Kind::Text, default "127.0.0.1", env ["HOST"];
        /// Port to listen on; 0 picks a free one.
        port: u16 = Kind::Number(0, 65_535), default "8080", env ["PORT"];
        /// Origins whose pages may call the API from a browser, such as `https://shop.example`; `*` for every origin.
        cors_origins: Vec<String> = Kind::List, default "*";
        /// What the description of the API at `/rest/v1/` lists: what its reader may use, everything, or nothing at all.
        openapi: String = Kind::Choice(&["follow-privileges", "ignore-privileges", "disabled"]),
            default "follow-privileges";
        /// Who may open the reference at `/_/api`: who has the secret key, everybody (it shows what each one's own key
        /// opens), or nobody. `mainstay dev` on a loopback address opens it to this machine.
        reference: String = Kind::Choice(&["secret", "open", "off"]), default "secret";
        /// Whether answers are compressed for callers that accept gzip or zstd.
        compression: String = Kind::Choice(&["on", "off"]), default "on";
        /// How hard compression tries: 1 is the fastest, 9 gives the smallest answers.
        compression_level: u8 = Kind::Number(1, 9), default "3";
        /// Octets of the smallest answer that is compressed.
        compression_bytes_min: usize = Kind::Number(64, 1 << 30), default "1024";
        /// Whether answers tell how long each stage of their making took (`Server-Timing`).
        timing: String = Kind::Choice(&["on", "off"]), default "off";
        /// A header that is copied from each request to its answer, such as `X-Trace-Id`; an answer has it empty if
        /// its request had none.
        trace_header: Option<String> = Kind::Form { expected: "the name of a header", check: check_trace_header };
        /// How much the body of an error tells: all four members, or the code and the message alone.
        error_verbosity: String = Kind::Choice(&["verbose", "minimal"]),
            default "verbose", env ["PGRST_CLIENT_ERROR_VERBOSITY"];
        /// How requests that write end: `commit` or `rollback` always, `commit-allow-override` or
        /// `rollback-allow-override` unless `Prefer: tx=` says otherwise.
        tx_end: String = Kind::Choice(&["commit", "commit-allow-override", "rollback", "rollback-allow-override"]),
            default "commit-allow-override", env ["PGRST_DB_TX_END"];
        /// Connections in all; more are closed at once.
        connections_max: usize = Kind::Number(1, 1_000_000), default "20000";
        /// Requests at once on one HTTP/2 connection.
        streams_max: u32 = Kind::Number(1, 10_000), default "100";
        /// Time from the first octet of a request's head, or from the connection, to the head's end.
        head_time: Duration = Kind::Seconds(1, 600), default "10";
        /// Time that a connection may be idle between two requests.
        idle_time: Duration = Kind::Seconds(1, 3600), default "60";
        /// Time that a client may take no octet of an answer.
        write_time: Duration = Kind::Seconds(1, 3600), default "30";
        /// Time that requests have to end after the server was told to stop.
        drain_time: Duration = Kind::Seconds(0, 3600), default "30";
    }
}

/// Headers whose meaning an answer decides by itself are not copied into it.
fn check_trace_header(name: &str) -> Result<(), String> {
    const OURS: [&str; 8] =
        ["connection", "transfer-encoding", "trailer", "upgrade", "set-cookie", "cookie", "authorization", "apikey"];
    let name = name.to_ascii_lowercase();
    if http::HeaderName::try_from(&name).is_err() {
        return Err(format!("is {name:?}"));
    }
    if name.starts_with("content-") || name.starts_with("access-control-") || OURS.contains(&name.as_str()) {
        return Err(format!("is {name}, which cannot be copied"));
    }
    Ok(())
}
