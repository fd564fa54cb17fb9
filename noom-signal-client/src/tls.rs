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
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
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
