//! Authentication policies.

use super::Template;

/// How to authenticate.
#[derive(Debug, Clone, PartialEq)]
pub enum Authentication {
    /// User name and password (RFC 7617).
    Basic(Credentials<UserPassword>),
    /// A token (RFC 6750).
    Bearer(Credentials<Template>),
    /// User name and password, hashed (RFC 7616).
    Digest(Credentials<UserPassword>),
    /// OAuth 2.
    OAuth2(Credentials<Box<OAuth2>>),
    /// OpenID Connect; its authority is discovered.
    Oidc(Credentials<Box<OAuth2>>),
}

/// Credentials that are written in place, or are all in a secret.
#[derive(Debug, Clone, PartialEq)]
pub enum Credentials<T> {
    /// Written in place.
    Inline(T),
    /// `use`: the name of a secret that has the same properties.
    Secret(String),
}

/// A user name and a password.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPassword {
    /// The user name.
    pub username: Template,
    /// The password.
    pub password: Template,
}

/// OAuth 2 and OpenID Connect.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuth2 {
    /// The authority.
    pub authority: Template,
    /// The endpoint for tokens, relative to the authority. Default: `/oauth2/token`.
    pub token_endpoint: Template,
    /// The endpoint that revokes tokens. Default: `/oauth2/revoke`.
    pub revocation_endpoint: Template,
    /// The endpoint that inspects tokens. Default: `/oauth2/introspect`.
    pub introspection_endpoint: Template,
    /// The grant.
    pub grant: Grant,
    /// The client.
    pub client: OAuth2Client,
    /// Whether token requests are JSON rather than a form. Default: a form.
    pub json_encoding: bool,
    /// Valid issuers. Empty: any.
    pub issuers: Vec<Template>,
    /// Scopes to ask for.
    pub scopes: Vec<Template>,
    /// Audiences to ask for.
    pub audiences: Vec<Template>,
    /// For the password grant.
    pub username: Option<Template>,
    /// For the password grant.
    pub password: Option<Template>,
    /// For token exchange: on behalf of whom.
    pub subject: Option<OAuth2Token>,
    /// For token exchange: who acts.
    pub actor: Option<OAuth2Token>,
}

/// A grant of OAuth 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// `authorization_code`
    AuthorizationCode,
    /// `client_credentials`
    ClientCredentials,
    /// `password`
    Password,
    /// `refresh_token`
    RefreshToken,
    /// `urn:ietf:params:oauth:grant-type:token-exchange`
    TokenExchange,
}

/// The client of OAuth 2.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OAuth2Client {
    /// Its id.
    pub id: Option<Template>,
    /// Its secret.
    pub secret: Option<Template>,
    /// A signed assertion, for `private_key_jwt`.
    pub assertion: Option<Template>,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
}

/// How the client of OAuth 2 authenticates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`
    SecretBasic,
    /// `client_secret_post`
    #[default]
    SecretPost,
    /// `client_secret_jwt`
    SecretJwt,
    /// `private_key_jwt`
    PrivateKeyJwt,
    /// `none`
    None,
}

/// A security token.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuth2Token {
    /// The token.
    pub token: Template,
    /// Its type.
    pub kind: Template,
}
