//! `[server]`.

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
    }
}
