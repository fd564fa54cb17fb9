//! TLS over a TCP connection.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use crate::{link::DialError, socket::Io};

/// TLS 1.2 and 1.3 by rustls and ring, whatever provider the rest of the process uses, trusting the
/// roots that browsers trust.
pub(crate) struct Tls(Result<TlsConnector, String>);

impl Tls {
    pub(crate) fn new() -> Self {
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    fn trusting(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map(|config| config.with_root_certificates(roots).with_no_client_auth())
            .map_err(|error| error.to_string());
        Self(config.map(|config| Arc::new(config).into()))
    }

    pub(crate) async fn secure(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<Box<dyn Io>, DialError> {
        let connector = self.0.as_ref().map_err(DialError::broken)?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| DialError::broken(error.to_string()))?;
        let secured = connector.connect(name, tcp).await;
        Ok(Box::new(secured.map_err(|error| DialError::broken(error.to_string()))?))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use http::HeaderMap;
    use noom_signal::{
        Hub,
        protocol::{ClientMessage, client},
    };
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
    use tokio::{io::copy_bidirectional, net::TcpListener};
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig, SupportedProtocolVersion,
            pki_types::{CertificateDer, PrivateKeyDer},
            version,
        },
    };

    use super::*;
    use crate::{
        link::{Dial, Incoming, Reader, Writer},
        socket::Sockets,
    };

    /// A certificate authority of the test's own.
    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        certificate: CertificateDer<'static>,
    }

    impl Authority {
        fn new() -> Self {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&key).unwrap().der().clone();
            Self { issuer: Issuer::new(params, key), certificate }
        }

        /// Trusted for nothing but what this authority signs.
        fn trusted(&self) -> Tls {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).unwrap();
            Tls::trusting(roots)
        }
    }

    /// What a server shows.
    struct Shown {
        names: &'static [&'static str],
        expired: bool,
        versions: &'static [&'static SupportedProtocolVersion],
    }

    const GOOD: Shown =
        Shown { names: &["localhost", "127.0.0.1"], expired: false, versions: &[&version::TLS13] };

    const OLD: Shown = Shown { versions: &[&version::TLS12], ..GOOD };

    /// A hub behind TLS, with a certificate of this authority's. Returns its port.
    async fn serve(authority: &Authority, shown: &Shown) -> u16 {
        let hub = Router::new().route("/signal", noom_signal_axum::endpoint(Hub::new()));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let plain = noom_signal_axum::Server::bind(any).unwrap();
        let behind = plain.local_addr().unwrap();
        tokio::spawn(plain.serve(hub));

        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = shown.names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if shown.expired {
            params.not_after = date_time_ymd(2001, 1, 1);
            params.not_before = date_time_ymd(2000, 1, 1);
        }
        let certificate = params.signed_by(&key, &authority.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(shown.versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(any).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut secured) = acceptor.accept(tcp).await else { continue };
                let mut plain = TcpStream::connect(behind).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut secured, &mut plain).await });
            }
        });
        port
    }

    async fn dial(tls: Tls, host: &str, port: u16) -> Result<(impl Reader, impl Writer), String> {
        let address = format!("wss://{host}:{port}/signal").parse().unwrap();
        let sockets = Sockets::over(tls, address, HeaderMap::new(), 1 << 20);
        sockets.dial().await.map_err(|error| format!("{:?}", error.ending))
    }

    #[tokio::test]
    async fn a_hello_through_tls() {
        let authority = Authority::new();
        for shown in [GOOD, OLD] {
            let port = serve(&authority, &shown).await;
            for host in ["localhost", "127.0.0.1"] {
                let dialled = dial(authority.trusted(), host, port).await;
                let (mut reader, mut writer) = dialled.unwrap();
                writer.ready().await.unwrap();
                writer.write(ClientMessage::from(client::Hello::default()).to_frame()).unwrap();
                writer.flush().await.unwrap();
                let Incoming::Text(hello) = reader.recv().await else { panic!("no hello") };
                assert!(hello.starts_with(r#"{"type":"hello","peer":""#), "{}", &*hello);
            }
        }
    }

    #[tokio::test]
    async fn certificates_that_prove_nothing() {
        let authority = Authority::new();
        let refused = async |tls: Tls, shown: Shown, host: &str, why: &str| {
            let port = serve(&authority, &shown).await;
            let error = dial(tls, host, port).await.err().expect("a refusal");
            assert!(error.contains(why), "{error}");
        };
        // Of nobody whom browsers trust, of nobody trusted here, of another name, of the past.
        refused(Tls::new(), GOOD, "localhost", "UnknownIssuer").await;
        refused(Authority::new().trusted(), GOOD, "localhost", "invalid peer certificate").await;
        let other = Shown { names: &["example.org"], ..GOOD };
        refused(authority.trusted(), other, "localhost", "not valid for name").await;
        let no_address = Shown { names: &["localhost"], ..GOOD };
        refused(authority.trusted(), no_address, "127.0.0.1", "not valid for name").await;
        let expired = Shown { expired: true, ..GOOD };
        refused(authority.trusted(), expired, "localhost", "expired").await;
    }

    /// Nothing is sent in the clear to a server that does not speak TLS.
    #[tokio::test]
    async fn a_server_without_tls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (refused, first) =
            tokio::join!(dial(Authority::new().trusted(), "localhost", port), async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let (mut tcp, _) = listener.accept().await.unwrap();
                let mut first = [0; 3];
                tcp.read_exact(&mut first).await.unwrap();
                tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
                first
            });
        assert!(refused.is_err());
        // A handshake record of TLS, and no request.
        assert_eq!(first[..2], [0x16, 0x03]);
    }
}
