//! Users and their sessions.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::Demo;
use super::request::{cookie, parse, read};
use super::response::{HandlerResult, Problem, json, value};
use super::routes::Route;
use super::table::MAX_ROWS;

/// The users that a fresh service has.
const SEED: [&str; 2] = ["john_doe", "jane_smith"];

/// The longest name, in bytes.
const MAX_NAME: usize = 256;

/// The name of the session cookie.
const COOKIE: &str = "session";

/// Registered users, and the sessions of those that logged in.
pub(super) struct Users {
    names: HashSet<Arc<str>>,
    sessions: HashMap<u128, Arc<str>>,
    /// Keyed at random, so that a session is not guessed from an earlier one.
    secrets: [RandomState; 2],
    logins: u64,
}

impl Users {
    /// The seeded users, none logged in.
    pub fn new() -> Users {
        Users {
            names: SEED.map(Arc::from).into(),
            sessions: HashMap::new(),
            secrets: [RandomState::new(), RandomState::new()],
            logins: 0,
        }
    }

    /// Adds a user; false when the name is taken.
    ///
    /// # Errors
    /// 507 when there is no room.
    pub fn register(&mut self, name: &str) -> Result<bool, Problem> {
        if self.names.contains(name) {
            return Ok(false);
        }
        if self.names.len() >= MAX_ROWS {
            return Err(Problem::full("users"));
        }
        Ok(self.names.insert(Arc::from(name)))
    }

    /// Starts a session.
    ///
    /// # Errors
    /// 401 when there is no such user, 507 when there is no room.
    pub fn log_in(&mut self, name: &str) -> Result<u128, Problem> {
        let name = self.names.get(name).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "There is no such user; POST /register first.")
        })?;
        if self.sessions.len() >= MAX_ROWS {
            return Err(Problem::full("sessions"));
        }
        self.logins += 1;
        let [high, low] = self.secrets.each_ref().map(|secret| u128::from(secret.hash_one(self.logins)));
        let session = high << 64 | low;
        self.sessions.insert(session, Arc::clone(name));
        Ok(session)
    }

    /// The user of a session, as its cookie writes it.
    pub fn of_session(&self, text: &str) -> Option<Arc<str>> {
        self.sessions.get(&u128::from_str_radix(text, 16).ok()?).cloned()
    }
}

/// `POST /register`.
pub(super) async fn register(demo: &Demo, request: Request<Incoming>) -> HandlerResult {
    let name = username(&read(request.into_body()).await?)?;
    if !demo.users().register(&name)? {
        return Ok(json(StatusCode::CONFLICT, r#"{"error":"Username already exists."}"#));
    }
    demo.stats().writes.add(Some(Route::Register), &Method::POST);
    Ok(json(StatusCode::CREATED, json!({"username": name}).to_string()))
}

/// `POST /login`.
pub(super) async fn login(demo: &Demo, request: Request<Incoming>) -> HandlerResult {
    let name = username(&read(request.into_body()).await?)?;
    let session = demo.users().log_in(&name).map_err(challenge)?;
    demo.stats().writes.add(Some(Route::Login), &Method::POST);
    let cookie = value(format!("{COOKIE}={session:032x}; HttpOnly; Path=/; SameSite=Lax"))?;
    let mut response = json(StatusCode::OK, json!({"username": name}).to_string());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `GET /me`.
pub(super) fn me<B>(demo: &Demo, request: &Request<B>) -> HandlerResult {
    let name = cookie(request.headers(), COOKIE).and_then(|session| demo.users().of_session(session));
    let name = name.ok_or_else(|| {
        challenge(Problem::new(StatusCode::UNAUTHORIZED, "No session; POST /login starts one."))
    })?;
    Ok(json(StatusCode::OK, json!({"username": *name}).to_string()))
}

/// A 401 must say how to authenticate (RFC 9110 §15.5.2), though no registered scheme is a cookie.
fn challenge(problem: Problem) -> Problem {
    if problem.status == StatusCode::UNAUTHORIZED {
        problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Cookie realm=\"demo\""))
    } else {
        problem
    }
}

fn username(body: &[u8]) -> Result<String, Problem> {
    match parse(body)?.get_mut("username").map(Value::take) {
        Some(Value::String(name)) if (1..=MAX_NAME).contains(&name.len()) => Ok(name),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`username` must be text of 1 to {MAX_NAME} bytes."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_registered_once() {
        let mut users = Users::new();
        for (name, expected) in
            [("john_doe", false), ("jane_smith", false), ("ada", true), ("ada", false), ("Ada", true)]
        {
            assert_eq!(users.register(name), Ok(expected), "{name}");
        }
    }

    #[test]
    fn every_login_is_a_session_of_its_own() {
        let mut users = Users::new();
        let (first, second) = (users.log_in("john_doe").unwrap(), users.log_in("john_doe").unwrap());
        assert_ne!(first, second);
        for session in [first, second] {
            assert_eq!(users.of_session(&format!("{session:032x}")).as_deref(), Some("john_doe"));
        }
        for text in ["", "0", "nothing", "zz"] {
            assert_eq!(users.of_session(text), None, "{text}");
        }
        assert_eq!(users.log_in("nobody").unwrap_err().status, StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn users_and_sessions_are_bounded() {
        let mut users = Users::new();
        for n in SEED.len()..MAX_ROWS {
            assert_eq!(users.register(&n.to_string()), Ok(true));
        }
        assert_eq!(users.register("one more").unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(users.register("john_doe"), Ok(false));
        for _ in 0..MAX_ROWS {
            users.log_in("john_doe").unwrap();
        }
        assert_eq!(users.log_in("john_doe").unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
    }

    #[test]
    fn a_username_is_text() {
        let cases = [
            (r#"{"username":"ada","password":"x"}"#, Some("ada")),
            (r#"{"username":""}"#, None),
            (r#"{"username":7}"#, None),
            (r#"{"name":"ada"}"#, None),
            (r#"["username"]"#, None),
            ("username=ada", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(username(body.as_bytes()).ok().as_deref(), expected, "{body}");
        }
    }
}
