//! Lists of all three formats, right, wrong and hostile.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use sip_digest::Secret;
use sip_registration::{ContactPlan, Transport};

use super::*;

const SILENT: Surroundings = Surroundings {
    variable: |_| false,
    terminal: true,
};

#[derive(Debug, Parser)]
struct List {
    #[command(flatten)]
    accounts: AccountsArgs,
}

fn template(options: &str) -> Template {
    let words = ["list", "x.csv"].into_iter().chain(options.split_whitespace());
    Reader::template(&List::try_parse_from(words).unwrap().accounts, SILENT).unwrap()
}

fn reader(format: FormatArg, bytes: impl Into<Vec<u8>>, options: &str) -> Result<Reader, Flaw> {
    Reader::new(Source::of(bytes), format, None, template(options))
}

fn rows(format: FormatArg, bytes: impl Into<Vec<u8>>) -> Vec<Result<Row, BadRow>> {
    reader(format, bytes, "").unwrap().collect()
}

fn csv(text: &str) -> Vec<Result<Row, BadRow>> {
    rows(FormatArg::Csv, text)
}

/// Why the list as a whole is refused.
fn refused(format: FormatArg, bytes: impl Into<Vec<u8>>) -> String {
    let flaw = reader(format, bytes, "").err().unwrap();
    format!("{}:{}: {}", flaw.place.line, flaw.place.column, flaw.problem)
}

/// Why the first row is bad.
fn bad(mut rows: Vec<Result<Row, BadRow>>) -> String {
    rows.remove(0).unwrap_err().to_string()
}

fn password(row: &Row) -> Option<String> {
    use secrecy::ExposeSecret as _;
    match &row.account.secret {
        Some(Secret::Password(password)) => Some(password.expose_secret().to_owned()),
        Some(Secret::Ha1(_)) => Some("ha1".to_owned()),
        None => None,
    }
}

#[test]
fn the_three_formats_say_the_same() {
    let csv = "name,aor,registrar,transport,auth-user,password,expires\nBerlin,alice@a.example,b.example,tcp,4711,\"pa,ss\",60\n";
    let json = r#"{"name":"Berlin","aor":"alice@a.example","registrar":"b.example","transport":"tcp","auth-user":"4711","password":"pa,ss","expires":60}"#;
    let toml = "[defaults]\ntransport = \"tcp\"\nexpires = 60\n[[account]]\nname = \"Berlin\"\naor = \"alice@a.example\"\nregistrar = \"b.example\"\nauth_user = \"4711\"\npassword = \"pa,ss\"\n";
    for (format, text) in [(FormatArg::Csv, csv), (FormatArg::Jsonl, json), (FormatArg::Toml, toml)] {
        let mut rows = rows(format, text);
        let row = rows.remove(0).unwrap();
        assert!(rows.is_empty());
        assert_eq!((row.number, row.name.as_deref()), (1, Some("Berlin")));
        assert_eq!(password(&row).as_deref(), Some("pa,ss"));
        let account = row.account;
        assert_eq!(account.aor.as_str(), "sip:alice@a.example");
        assert_eq!((account.registrar.as_str(), account.expires), ("sip:b.example", 60));
        assert_eq!(
            (account.transport, account.auth_user.as_deref()),
            (Some(Transport::Tcp), Some("4711"))
        );
    }
}

#[test]
fn what_a_row_leaves_out_the_command_line_says() {
    let options = "--proxy edge.example --transport tls --expires 77 --instance --reg-id 2 --contact sip:c@h --auth-user who";
    let list = "aor,proxy,instance,expires\na@h,,,\nb@h,other.example,urn:x:y,9\n";
    let rows: Vec<_> = reader(FormatArg::Csv, list, options).unwrap().map(Result::unwrap).collect();
    let [first, second] = &rows[..] else { panic!("two rows") };
    assert_eq!(first.account.outbound_proxy.as_ref().unwrap().as_str(), "sip:edge.example");
    assert_eq!((first.account.transport, first.account.expires), (Some(Transport::Tls), 77));
    assert!(first.account.instance.as_ref().unwrap().starts_with("urn:uuid:"));
    assert!(matches!(&first.account.contact, ContactPlan::Fixed(contact) if contact.as_str() == "sip:c@h"));
    assert_eq!(second.account.outbound_proxy.as_ref().unwrap().as_str(), "sip:other.example");
    assert_eq!((second.account.instance.as_deref(), second.account.expires), (Some("urn:x:y"), 9));
    assert_eq!(second.account.auth_user.as_deref(), Some("who"));
}

#[test]
fn delimiters_are_found_and_marks_comments_and_line_ends_do_not_matter() {
    for text in [
        "aor,password\na@h,x\n",
        "aor;password\r\na@h;x\r\n",
        "aor\tpassword\na@h\tx",
        "\u{feff}AOR,Password\na@h,x\n",
        "# accounts, of; Berlin\n\naor,password\n\n# one\na@h,x\n",
        "\"aor\",\"password\"\n\"a@h\",\"x\"\n",
    ] {
        let rows = csv(text);
        assert_eq!(rows.len(), 1, "{text}");
        assert_eq!(password(rows[0].as_ref().unwrap()).as_deref(), Some("x"), "{text}");
    }
    let given = Reader::new(Source::of("aor|password\na@h|x"), FormatArg::Csv, Some(b'|'), template("")).unwrap();
    assert_eq!(given.count(), 1);
}

#[test]
fn rows_and_lines_are_counted_from_1() {
    let rows = csv("# c\naor,name\na@h,\"two\nlines\"\n\nbogus,x\nc@h,\n");
    let at: Vec<_> = rows
        .iter()
        .map(|row| row.as_ref().map_or_else(|bad| (bad.number, bad.line), |row| (row.number, row.line)))
        .collect();
    assert_eq!(at, [(1, 3), (2, 6), (3, 7)]);
    assert!(rows[0].is_ok() && rows[1].is_err() && rows[2].is_ok());
}

#[test]
fn a_header_that_is_none_is_refused_and_not_repeated() {
    let refusal = refused(FormatArg::Csv, "alice@pbx.example,canary\n");
    assert!(
        refusal.starts_with("1:1: no column is named aor") && !refusal.contains("canary"),
        "{refusal}"
    );
    assert!(refused(FormatArg::Csv, "aor,pasword\n").contains("1:2: `pasword` is unknown; there are aor, name"));
    assert!(refused(FormatArg::Csv, "aor,Timeout\n").contains("`timeout` is said on the command line"));
    assert!(refused(FormatArg::Csv, "aor,AOR\n").contains("1:2: `aor` is named twice"));
    assert!(refused(FormatArg::Csv, "").contains("is empty"));
    assert!(refused(FormatArg::Csv, "\n# x\n").contains("is empty"));
    assert!(refused(FormatArg::Csv, b"\xff\xfea\0o\0r\0".to_vec()).contains("UTF-16"));
    assert!(refused(FormatArg::Csv, "x".repeat(2_000_000)).contains("longer than 1 MiB"));
}

#[test]
fn a_bad_row_says_where_and_why_and_the_others_are_read() {
    let header = "aor,registrar,transport,expires,reg_id,password,ha1\n";
    for (row, says) in [
        ("pbx.example,,,,,,", "2:1: aor: the user is missing"),
        (",x.example,,,,,", "2:1: aor: is missing"),
        ("a@h,:x,,,,,", "2:2: registrar: "),
        ("a@h,,sctp,,,,", "2:3: transport: the transport is none of"),
        ("sips:a@h,,udp,,,,", "2:3: transport: udp: a sips: URI is reached by TLS only"),
        ("a@h,,,0,,,", "2:4: expires: zero seconds"),
        ("a@h,,,,1,,", "2:5: reg_id: goes out only together with an instance"),
        (
            "a@h,,,,,canary,canary",
            "2:7: ha1: an account has one secret, and `password` is there too",
        ),
        ("a@h,,,,,,canary", "2:7: ha1: HA1 has a character"),
        ("a@h,,,,,can,ary,canary", "2:7: the row has 8 cells and the header 7"),
        ("a@h", "2:1: the row has 1 cells and the header 7"),
        ("sip:a:canary@h,,,,,,", "2:1: aor: it holds a password"),
        ("a@h,sip:[::1]:99999,,,,,", "2:2: registrar: "),
        ("\"a\0b@h\",,,,,,", "2:1: aor: characters that no URI may hold"),
        ("a@h,,,,,can\0ary,", "2:6: password: holds a NUL byte"),
        ("a@h,,,,,env:canary,", "2:6: password: behind env: stands the name"),
        ("a@h,,,,,$CANARY_NOT_SET,", "2:6: password: the variable that it names is not set"),
        ("a@h,,,,,@/canary/none,", "2:6: password: the file behind @ cannot be read"),
    ] {
        let rows = csv(&format!("{header}{row}\nb@h,,,,,,\n"));
        assert_eq!(rows.len(), 2, "{row}");
        assert!(rows[1].is_ok(), "{row}");
        let text = bad(rows);
        assert!(text.contains(says), "{row}: {text}");
        assert!(!text.contains("canary") && !text.contains("CANARY"), "{text}");
    }
    let known = csv("aor,expires\na@h,x\nsip:a:canary@h,1\n");
    let aors: Vec<_> = known.into_iter().map(|row| row.unwrap_err().aor).collect();
    assert_eq!(aors, [Some("sip:a@h".to_owned()), None]);
}

#[test]
fn text_that_is_not_utf_8_is_a_bad_cell() {
    let rows = rows(FormatArg::Csv, b"aor,password\na@h,can\xffary\nb@h,x\n".to_vec());
    assert!(rows[1].is_ok());
    assert_eq!(bad(rows), "2:2: password: is not UTF-8 text; save the list as UTF-8");
}

#[test]
fn an_unclosed_quote_fills_no_memory_and_is_said() {
    let mut list = b"aor,password\na@h,x\nb@h,\"".to_vec();
    list.resize(12 * 1024 * 1024, b'z');
    let rows = rows(FormatArg::Csv, list);
    assert_eq!(rows.len(), 2);
    assert!(rows[0].is_ok());
    let bad = rows[1].as_ref().unwrap_err();
    assert_eq!(bad.line, 3);
    assert!(bad.problem.contains("longer than 1 MiB; is a quote not closed?"), "{bad}");
}

#[test]
fn a_quote_that_is_open_at_the_end_of_the_list_makes_a_bad_row() {
    for end in ["b@h,\"x", "b@h,\"x\r\n", "b@h,\"x\nc@h,y\n", "b@h,\"", "b@h,\"x\"\"\n"] {
        let rows = csv(&format!("aor,password\na@h,x\n{end}"));
        assert_eq!(rows.len(), 2, "{end}");
        assert!(rows[0].is_ok(), "{end}");
        assert_eq!(
            rows[1].as_ref().unwrap_err().to_string(),
            "3:1: a quote is not closed: the row goes on to the end of the list",
            "{end}"
        );
    }
    for end in ["b@h,\"x\"", "b@h,x", "b@h,p\"x", "b@h,\"x\"\r", "b@h,x\r\n# end", "b@h,"] {
        let rows = csv(&format!("aor,password\na@h,x\n{end}"));
        assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 2, "{end}");
        assert_eq!(rows.len(), 2, "{end}");
    }
}

#[test]
fn lines_are_counted_alike_whatever_ends_them() {
    for end in ["\n", "\r\n"] {
        let lines = ["# accounts", "aor,expires", "a@h,60", "", "# more", "b@h,x", ""].join(end);
        assert!(bad(csv(&lines).split_off(1)).starts_with("6:2: expires:"), "{end:?}");
    }
}

#[test]
fn a_line_of_ten_megabytes_is_passed_over() {
    let long = "x".repeat(10 * 1024 * 1024);
    let rows = rows(FormatArg::Jsonl, format!("{{\"aor\":\"{long}\"}}\n{{\"aor\":\"b@h\"}}\n"));
    assert!(rows[0].as_ref().unwrap_err().problem.contains("longer than 1 MiB"));
    assert_eq!((rows.len(), rows[1].as_ref().unwrap().line), (2, 2));
}

#[test]
fn bad_json_says_where_and_why_and_repeats_no_value() {
    for (line, says) in [
        ("{\"aor\":\"a@h\"", "1:12: EOF while parsing"),
        ("[1]", "an object with the keys of an account"),
        ("{\"aor\":\"a@h\",\"bogus\":\"canary\"}", "`bogus` is unknown; there are aor"),
        ("{\"aor\":\"a@h\",\"insecure\":1}", "`insecure` is said on the command line"),
        ("{\"aor\":\"a@h\",\"aor\":\"b@h\"}", "`aor` is said twice"),
        (
            "{\"aor\":\"a@h\",\"password\":[\"canary\"]}",
            "`password` is a text or a whole number",
        ),
        ("{\"aor\":\"a@h\",\"password\":-7777777}", "`password` is a text or a whole number"),
        ("{\"aor\":\"a@h\",\"password\":77.77777}", "`password` is a text or a whole number"),
        ("{\"aor\":\"a@h\",\"password\":true}", "`password` is a text or a whole number"),
        (
            "{\"aor\":\"a@h\",\"expires\":\"x\"}",
            "1:1: expires: this is not a number of seconds",
        ),
        ("{\"aor\":\"a@h\"} canary", "trailing characters"),
        ("canary", "1:1: expected value"),
    ] {
        let text = bad(rows(FormatArg::Jsonl, line));
        assert!(text.contains(says), "{line}: {text}");
        assert!(!text.contains("canary") && !text.contains("7777"), "{text}");
    }
    let fine = rows(
        FormatArg::Jsonl,
        "\u{feff}{\"aor\":\"a@h\",\"password\":1234,\"name\":null}\r\n\n{\"aor\":\"b@h\"}",
    );
    assert_eq!(fine.len(), 2);
    assert_eq!(password(fine[0].as_ref().unwrap()).as_deref(), Some("1234"));
}

#[test]
fn toml_that_is_no_list_is_refused_at_its_place() {
    for (text, says) in [
        ("[[account]\n", "1:"),
        ("a = 1\n", "1:1: `a` is unknown here"),
        ("\n[account]\n", "2:2: accounts are a list"),
        ("\n account = 1\n", "2:2: accounts are a list"),
        ("[defaults]\naor = \"a@h\"\n", "2:1: `aor` is each account's own"),
        ("[defaults]\nbogus = 1\n", "2:1: `bogus` is unknown; there are"),
    ] {
        let refusal = refused(FormatArg::Toml, text);
        assert!(refusal.contains(says), "{text}: {refusal}");
    }
    assert!(refused(FormatArg::Toml, b"# \xff".to_vec()).contains("not UTF-8"));
    assert_eq!(rows(FormatArg::Toml, "").len(), 0);
}

#[test]
fn a_bad_table_is_one_row_and_an_own_secret_goes_before_that_of_all() {
    let list = "[defaults]\npassword = \"all\"\n[[account]]\naor = \"a@h\"\nbogus = 1\n[[account]]\naor = \"b@h\"\n[[account]]\naor = \"c@h\"\nha1 = \"939e7578ed9e3c518a452acee763bce9\"\n";
    let rows = rows(FormatArg::Toml, list);
    assert!(rows[0].as_ref().unwrap_err().to_string().starts_with("5:1: `bogus` is unknown"));
    assert_eq!(password(rows[1].as_ref().unwrap()).as_deref(), Some("all"));
    assert_eq!(password(rows[2].as_ref().unwrap()).as_deref(), Some("ha1"));
    assert_eq!(rows[2].as_ref().unwrap().line, 8);
}

#[test]
fn secrets_stand_beside_the_list_in_files() {
    let folder = std::env::temp_dir().join(format!("regprobe-accounts-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.pw"), "from file\n").unwrap();
    fs::write(folder.join("a.ha1"), "MD5:939e7578ed9e3c518a452acee763bce9\n").unwrap();
    fs::write(
        folder.join("list.csv"),
        "aor,password,password_file,ha1_file\na@h,@a.pw,,\nb@h,,a.pw,\nc@h,,,a.ha1\nd@h,@@a.pw,,\ne@h,$ecret,,\nf@h,,,\n",
    )
    .unwrap();
    let path = folder.join("list.csv");
    let args = List::try_parse_from(["list".as_ref(), path.as_os_str()]).unwrap().accounts;
    let rows = Reader::open(&args, template("")).unwrap();
    let passwords: Vec<_> = rows.map(|row| password(&row.unwrap()).unwrap_or_default()).collect();
    assert_eq!(passwords, ["from file", "from file", "ha1", "@a.pw", "$ecret", ""]);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_format_is_known_by_the_name() {
    for (name, format) in [
        ("-", FormatArg::Csv),
        ("a.CSV", FormatArg::Csv),
        ("a.tsv", FormatArg::Csv),
        ("a.jsonl", FormatArg::Jsonl),
        ("a.ndjson", FormatArg::Jsonl),
        ("a.toml", FormatArg::Toml),
    ] {
        assert_eq!(format_of(Path::new(name)).unwrap(), format);
    }
    assert!(format_of(Path::new("accounts")).unwrap_err().to_string().contains("--format"));
}

#[test]
fn rows_of_one_domain_share_its_registrar_and_no_other() {
    let rows = csv("aor,registrar\na@h:5070,\nb@h:5070,\nsips:c@h:5070,\nd@h,\ne@x,sip:h;transport=tcp\nf@h,\ng@[::1]:5,\nh@[::1]:5,\n");
    let registrars: Vec<_> = rows.into_iter().map(|row| row.unwrap().account.registrar).collect();
    let texts: Vec<_> = registrars.iter().map(|registrar| registrar.as_str()).collect();
    assert_eq!(
        texts,
        [
            "sip:h:5070",
            "sip:h:5070",
            "sips:h:5070",
            "sip:h",
            "sip:h;transport=tcp",
            "sip:h",
            "sip:[::1]:5",
            "sip:[::1]:5"
        ]
    );
    let [first, second, ..] = &registrars[..] else { panic!() };
    assert!(Arc::ptr_eq(&first.text(), &second.text()));
}

#[test]
fn a_bad_row_has_its_name_unless_a_part_of_a_password_may_stand_there() {
    let name = |text: &str| csv(text).remove(0).unwrap_err().name;
    assert_eq!(name("aor,password,name,expires\na@h,x, Berlin ,never\n").as_deref(), Some("Berlin"));
    assert_eq!(name("aor,password,name,expires\na@h,can,ary,Berlin,300\n"), None);
    assert_eq!(name("aor,password,name\na@h,can,ary,Berlin\n"), None);
}

#[test]
fn a_line_of_json_that_ends_at_once_is_bad_at_its_first_character() {
    for line in ["{\n", "sip:a:b@h\n"] {
        let bad = rows(FormatArg::Jsonl, line).remove(0).unwrap_err();
        assert!(bad.column >= 1, "{line:?}: {bad}");
    }
}

#[test]
fn the_empty_realm_is_pinned_by_two_quotes_in_every_format() {
    for (format, text) in [
        (FormatArg::Csv, "aor,realm\na@h,\"\"\"\"\"\"\n"),
        (FormatArg::Jsonl, "{\"aor\":\"a@h\",\"realm\":\"\\\"\\\"\"}\n"),
        (FormatArg::Toml, "[[account]]\naor = \"a@h\"\nrealm = '\"\"'\n"),
    ] {
        let row = rows(format, text).remove(0).unwrap();
        assert_eq!(row.account.challenge_rules().realm.as_deref(), Some(""), "{format:?}");
    }
    // An empty cell says nothing, as in every column.
    assert_eq!(csv("aor,realm\na@h,\n").remove(0).unwrap().account.challenge_rules().realm, None);
}

#[test]
fn an_ha1_that_could_answer_nothing_is_bad_at_the_digest_that_is_wanted() {
    let hex = "939e7578ed9e3c518a452acee763bce9";
    let text = format!("aor,min_digest,ha1\na@h,sha-256,{hex}\n");
    let refused = bad(csv(&text));
    assert!(
        refused.ends_with("min_digest: an HA1 of MD5 answers no other digest, and min_digest wants SHA-256 at least"),
        "{refused}"
    );
    assert!(csv(&text.replace("sha-256", "md5"))[0].is_ok());
    let from_options = reader(FormatArg::Csv, format!("aor,ha1\na@h,{hex}\n"), "--min-digest sha-512-256");
    let refused = bad(from_options.unwrap().collect());
    assert!(refused.contains("min_digest wants SHA-512-256"), "{refused}");
}
