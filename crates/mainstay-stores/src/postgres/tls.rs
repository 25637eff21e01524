//! TLS to a server, by rustls: what is asked of its certificate, and the stream that the driver reads from.
//!
//! The choice of ring and of the system's roots is in `docs/decisions/0030-postgres-driver.md`.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mainstay_store::BoxError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{TlsConnector, client};

use super::connect::Verify;
use crate::server::url::Certificates;

/// Makes TLS streams that ask a certain amount of the server's certificate.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    /// Files that cannot be read or hold no certificate; a system without roots where they are needed.
    pub(super) fn new(verify: Verify, certificates: &Certificates) -> Result<Tls, BoxError> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match verify {
            Verify::Nothing => Arc::new(Lenient { chain: None, provider: provider.clone() }),
            Verify::Chain | Verify::Name => {
                let roots = Arc::new(roots(certificates.roots.as_deref())?);
                let chain = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
                match verify {
                    Verify::Name => chain,
                    _ => Arc::new(Lenient { chain: Some(chain), provider: provider.clone() }),
                }
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &certificates.own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let key_read = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, error))?;
                config.with_client_auth_cert(read(certificate)?, key_read)?
            }
        };
        config.alpn_protocols = vec![b"postgresql".to_vec()]; // Asked for by servers where TLS comes first.
        Ok(Tls(Arc::new(config)))
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, BoxError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in read(file)? {
                roots.add(certificate).map_err(|error| unread(file, error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err("the system has no root certificates; name some by sslrootcert".into());
            }
        }
    }
    Ok(roots)
}

/// The certificates of a PEM file, at least one.
fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|error| unread(file, error))?.collect();
    let certificates = certificates.map_err(|error| unread(file, error))?;
    if certificates.is_empty() {
        return Err(unread(file, "it holds no certificate"));
    }
    Ok(certificates)
}

fn unread(file: &Path, why: impl std::fmt::Display) -> BoxError {
    format!("reading {}: {why}", file.display()).into()
}

/// Asks less of a certificate than its name.
#[derive(Debug)]
struct Lenient {
    /// Asks that a root has signed the certificate, whatever name is in it: `sslmode=verify-ca`. Without, whoever answers
    /// is believed, as `sslmode=require` without roots does: against those who only listen.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The verifier looks at the name last: a complaint about it means that the chain is good.
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = BoxError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, BoxError> {
        // A server without TLS may have a name that a certificate cannot hold; that is told when TLS begins.
        Ok(Connect { config: self.0.clone(), name: ServerName::try_from(host.to_owned()).ok() })
    }
}

/// One TLS handshake to come.
pub(super) struct Connect {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let name = self.name.ok_or("the host's name cannot stand in a certificate")?;
            Ok(Stream(TlsConnector::from(self.config).connect(name, socket).await?))
        })
    }
}

/// A connection inside TLS.
pub(super) struct Stream(client::TlsStream<Socket>);

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.0.get_ref().1.peer_certificates().and_then(<[_]>::first);
        match certificate.and_then(|certificate| end_point(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

/// Hash of a certificate by the function of its signature (RFC 5929); `None` where that is none that we know.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, signature }
    let (whole, _) = element(certificate)?;
    let (_, rest) = element(whole)?;
    let (algorithm, _) = element(rest)?;
    let (identifier, _) = element(algorithm)?;
    let (last, family) = identifier.split_last()?;
    match (family, last) {
        // MD5 and SHA-1 are replaced by SHA-256.
        (RSA, 4 | 5 | 11) | (ECDSA, 2) => Some(Sha256::digest(certificate).to_vec()),
        (RSA, 12) | (ECDSA, 3) => Some(Sha384::digest(certificate).to_vec()),
        (RSA, 13) | (ECDSA, 4) => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match usize::from(length) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (octets, rest) = rest.split_at_checked(long - 0x80).filter(|(octets, _)| octets.len() <= 4)?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
    };
    rest.split_at_checked(length)
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
