//! Does `khop serve` start with nothing, keep its door shut, and stop when told? The real binary, a real socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const KHOP: &str = env!("CARGO_BIN_EXE_khop");

/// A running service; killed if a test fails.
struct Serving {
    child: Child,
    /// Held open: the service may still be printing.
    _stdout: BufReader<ChildStdout>,
    address: String,
    token: Option<String>,
}

impl Serving {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(KHOP);
        command.args(["serve", "--listen", "127.0.0.1:0", "--threads", "1", "--data"]).arg(data).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut address, mut token) = (None, None);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for line in stdout.by_ref().lines().map(Result::unwrap) {
            let (name, value) = line.split_once(' ').unwrap_or_default();
            match name {
                "serving" => address = value.trim().strip_prefix("http://").map(str::to_owned),
                "token" => {
                    token = Some(value.trim().to_owned()).filter(|token| token.starts_with("khop_"));
                    break;
                }
                _ => (),
            }
        }
        Self { child, _stdout: stdout, address: address.expect("an address"), token }
    }

    /// Status and body of one request on a connection of its own.
    fn ask(&self, request: &str, token: Option<&str>) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        write!(stream, "{request} HTTP/1.1\r\nHost: khop\r\nConnection: close\r\n{authorization}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// The exit code.
    fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One failed run: its exit code and what it wrote to standard error.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(KHOP).arg("serve").args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_starts_with_nothing_asks_for_its_token_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/store");
    let first = Serving::start(&data, &[]);
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let token = first.token.clone().expect("the first start prints the token");
    assert_eq!(first.ask("GET /readyz", None).0, 200);
    assert_eq!(first.ask("GET /admin/v1/realms", None).0, 401);
    assert_eq!(first.ask("GET /admin/v1/realms", Some(&format!("{token}x"))).0, 401);
    assert_eq!(first.ask("PUT /admin/v1/realms/north", Some(&token)).0, 201);
    first.signal("TERM");
    assert_eq!(first.wait(), Some(0));

    let second = Serving::start(&data, &[]);
    assert_eq!(second.token, None, "the token is shown once");
    let (status, realms) = second.ask("GET /admin/v1/realms", Some(&token));
    assert!(status == 200 && realms.contains("north"), "{realms}");
    second.signal("INT");
    assert_eq!(second.wait(), Some(0));

    let third = Serving::start(&data, &["--new-token"]);
    let replaced = third.token.clone().expect("a new token");
    assert_eq!(third.ask("GET /admin/v1/realms", Some(&token)).0, 401);
    assert_eq!(third.ask("GET /admin/v1/realms", Some(&replaced)).0, 200);
    third.signal("TERM");
    assert_eq!(third.wait(), Some(0));
}

#[test]
fn a_request_in_flight_is_finished_before_the_service_stops() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    let token = serving.token.clone().unwrap();
    // Half a request: once the service asks for the body, the request is in flight.
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let body = r#"{"ttl_s": 600}"#;
    write!(
        stream,
        "PUT /admin/v1/realms/late HTTP/1.1\r\nHost: khop\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    )
    .unwrap();
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"));
    serving.signal("TERM");
    while TcpStream::connect(&serving.address).is_ok() {
        std::thread::yield_now(); // until nobody new is let in
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_second_process_on_the_same_directory_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = Serving::start(dir.path(), &[]);
    let path = dir.path().to_str().unwrap();
    let (code, message) = refused(&["--listen", "127.0.0.1:0", "--data", path]);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.starts_with("khop: ") && message.contains(path) && message.contains("in use"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert_eq!(first.ask("GET /readyz", None).0, 200);
}

#[test]
fn an_address_others_can_reach_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("store");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let (code, message) = refused(&["--listen", address, "--data", data.to_str().unwrap()]);
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains("loopback") && message.contains("proxy"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(!data.exists());
}

#[test]
fn the_environment_counts_unless_something_is_typed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("store");
    let serve = |typed: &[&str]| {
        let mut command = Command::new(KHOP);
        command.arg("serve").args(typed).env("KHOP_DATA", &data).env("KHOP_LISTEN", "0.0.0.0:1");
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    assert!(serve(&[]).contains("0.0.0.0:1"));
    assert!(serve(&["--listen", "192.0.2.1:2"]).contains("192.0.2.1:2"));
    assert!(!data.exists());
}

#[test]
fn what_is_shipped_for_operators_says_only_what_the_service_knows() {
    let help = Command::new(KHOP).args(["serve", "--help"]).output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/deploy");
    let mut names = 0;
    for file in ["khop.service", "khop.env", "Dockerfile"] {
        let text = std::fs::read_to_string(deploy.join(file)).unwrap();
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        for name in words.filter(|word| word.starts_with("KHOP_")) {
            let is_known = ["=", "]"].iter().any(|end| help.contains(&format!("[env: {name}{end}")));
            assert!(is_known, "{file}: {name}");
            names += 1;
        }
    }
    assert!(names > 8, "{names}");
}

#[test]
fn a_damaged_token_file_opens_no_door() {
    let dir = tempfile::tempdir().unwrap();
    let first = Serving::start(dir.path(), &[]);
    first.signal("TERM");
    assert_eq!(first.wait(), Some(0));
    let path = dir.path().join("admin-token");
    std::fs::write(&path, "khop-admin-token 1 00 00\n").unwrap();
    let (code, message) = refused(&["--listen", "127.0.0.1:0", "--data", dir.path().to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(message.contains("admin-token") && message.contains("--new-token"), "{message}");
}

#[test]
fn a_key_opens_a_running_service_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    let key = |command: &str, arguments: &[&str]| {
        let output =
            Command::new(KHOP).args(["key", command, "--data"]).arg(dir.path()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, told) = key("create", &["--name", "watch", "--role", "auditor", "--realm", "VN*", "--expires", "30d"]);
    let secret = told.lines().next().unwrap();
    assert!(code == Some(0) && secret.starts_with("khopkey_") && told.matches(secret).count() == 1, "{told}");
    assert_eq!(serving.ask("GET /metrics", Some(secret)).0, 200);
    assert_eq!(serving.ask("GET /admin/v1/realms", Some(secret)).0, 403);

    let (code, listed) = key("list", &[]);
    let row = listed.lines().nth(1).unwrap();
    assert_eq!(code, Some(0));
    for field in [&secret[8..16], "watch", "auditor", "VN*", " days"] {
        assert!(row.contains(field), "{field}: {row}");
    }
    assert!(!listed.contains(&secret[17..]), "the secret is shown once");

    let (code, refused) = key("create", &["--name", "watch", "--role", "auditor", "--expires", "366d"]);
    assert!(code == Some(1) && refused.contains("expires: expected a minute to 365 days"), "{refused}");
    assert_eq!(key("revoke", &["watch"]).0, Some(0));
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(serving.ask("GET /metrics", Some(secret)).0, 401);
    let (code, unknown) = key("revoke", &["watch"]);
    assert!(code == Some(1) && unknown.contains("watch"), "{unknown}");
}

#[test]
fn keys_of_no_store_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["list"][..], &["revoke", "watch"], &["create", "--name", "watch", "--role", "auditor"]] {
        let output = Command::new(KHOP).arg("key").args(arguments).arg("--data").arg(dir.path().join("typo")).output();
        let output = output.unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && message.contains("expected the directory of a store"), "{message}");
    }
}
