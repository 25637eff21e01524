//! TLS to a server: what is asked of its certificate, as the driver wants it said.
//!
//! The roots are those of the system, or those that the URL names; the ones that the driver brings along are never
//! believed. See `docs/decisions/0033-mysql-driver.md`.

use mainstay_store::BoxError;
use mysql_async::{ClientIdentity, SslOpts};

use super::connect::{MysqlOptions, TlsMode};

/// The driver's options; `None` for a connection without TLS.
///
/// # Errors
/// Files that cannot be read; a system without roots where they are needed.
pub(super) fn options(options: &MysqlOptions) -> Result<Option<SslOpts>, BoxError> {
    if options.tls == TlsMode::Disabled {
        return Ok(None);
    }
    let mut made = SslOpts::default();
    if let Some((certificate, key)) = &options.certificates.own {
        let identity = ClientIdentity::new(certificate.clone().into(), key.clone().into());
        made = made.with_client_identity(Some(identity));
    }
    if options.tls == TlsMode::Required {
        // Nothing is asked of the certificate; without any root the driver would not begin.
        return Ok(Some(made.with_danger_accept_invalid_certs(true)));
    }
    let roots: Vec<Vec<u8>> = match &options.certificates.roots {
        Some(file) => {
            let read = std::fs::read(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
            vec![read]
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            found.certs.iter().map(|root| root.to_vec()).collect()
        }
    };
    if roots.is_empty() {
        return Err("the system has no root certificates; name some by ssl-ca".into());
    }
    let roots = roots.into_iter().map(Into::into).collect();
    Ok(Some(made.with_root_certs(roots).with_disable_built_in_roots(true)))
}
