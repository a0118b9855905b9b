//! docs/verdict-matrix.md is written by this test and held to it: `REWRITE_MATRIX=1 cargo test -p regprobe-providers` writes it anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::gallery::gallery;
use super::grid::{ROWS, SEEN};
use crate::verdict::column::Column;
use crate::verdict::matrix::{Cell, Circumstances, Hold, cell};
use crate::verdict::row::Row;

const HEAD: &str = "\
# The verdict matrix

Written by a test of `regprobe-providers`; do not edit it by hand. `REWRITE_MATRIX=1 cargo test -p regprobe-providers document` writes it
anew.

`regprobe verify` looks at the registrar's table, asks the provider, and looks again. What both looks show is the column, what the
provider says is the row. A *disagree* counts when two such sandwiches show it with the grace (32 s or more) in between; before that the
verdict is *inconclusive* `within_grace`. Reasons are tried in the order inconclusive, stale, disagree, agree: before a cell of this table
counts, the answer has to be one, the two looks have to show the same, and the provider's own times have to hold.

A cell with several lines depends on more than row and column:

* *refreshed*: the binding's time was seen to rise, so somebody is alive behind it.
* *was registered*: the provider said so within the lifetime, so what it does now can be a refresh.
* *too long*: it has been registering for longer than the grace and 64·T1.
* *secret works*: the registrar took the probe's secret, which is the provider's as well.
* *silent elsewhere*: another vantage got no answer either.

";

const AFTER: &str = "\
Columns that say nothing to any row: the credentials were asked for and the probe has none (`probe_no_credentials`), nothing says whose a
binding is (`contact_unmatchable`, or `clock_skew` when only the clocks are in the way), the two looks differ (`refresh_race`), the
registrar asked nobody for credentials and was not asked twice (`registrar_open`), nobody looked on both sides (`probe_unreachable`).

The probe's own Contact counts where the provider is the registrar and reports its own table; where the provider is the client it is
nobody's.

## What changes a cell

* *stale* `expired_claim`: the end that the provider names is over by more than the clocks' difference and a tenth of the lifetime.
* *stale* `not_refreshed`: its last refresh or look is older than the lifetime, and the wire speaks against it.
* *stale* `payload_unchanged`: 1.2 lifetimes with the same data over a refresh that the registrar saw.
* *stale* `stored_field_outdated`: a stored value, while a live source of the same provider and the wire say the opposite.
* *disagree* `expiry_mismatch`: registered and bound, with ends that differ by more than the clocks, 10 % or 30 s.
* *inconclusive* `source_conflict`: two sources of one provider say the opposite, and the wire cannot decide.

A time without its zone proves nothing, and no time does when the clocks are more than 5 s apart. When Bitrix24 last updated a line, when
a Telnyx UAC or a FreeSWITCH gateway came up first, and when the next REGISTER is due are never taken for a refresh or an end.

";

/// What a cell comes to under these circumstances, in words.
fn cell_text(row: Row, column: Column) -> String {
    let plain = Circumstances::default();
    let word = |now| {
        let Cell { reason, hold } = cell(row, column, now);
        let late = if hold == Hold::GraceAndTimer {
            ", after the grace and 64·T1"
        } else {
            ""
        };
        format!("{} `{}`{late}", reason.outcome().name(), reason.name())
    };
    let kinds = [
        ("refreshed", Circumstances { refreshed: true, ..plain }),
        (
            "was registered",
            Circumstances {
                was_registered: true,
                ..plain
            },
        ),
        ("too long", Circumstances { stuck: true, ..plain }),
        (
            "too long, refreshed",
            Circumstances {
                stuck: true,
                refreshed: true,
                ..plain
            },
        ),
        (
            "secret works",
            Circumstances {
                secret_works: true,
                ..plain
            },
        ),
        (
            "silent elsewhere",
            Circumstances {
                silent_elsewhere: true,
                ..plain
            },
        ),
    ];
    let mut text = word(plain);
    let mut said = text.clone();
    for (name, now) in kinds {
        let other = word(now);
        // A pair of circumstances is worth a line only where it is not what one of them says already.
        if other != word(plain) && !(name.contains(',') && said.contains(&other) && word(kinds[0].1) == other) {
            let _ = write!(text, "<br>{name}: {other}");
            said = text.clone();
        }
    }
    text
}

fn row_name(row: Row) -> String {
    match row {
        Row::RegistrarError(Some(code)) => format!("{} {code}", row.name()),
        Row::RegistrarError(None) => format!("{}, no code", row.name()),
        Row::Registered
        | Row::InProgress
        | Row::Unregistering
        | Row::WrongCredentials
        | Row::Timeout
        | Row::InternalError
        | Row::Failed
        | Row::NotRegistered
        | Row::Nothing(_) => row.name().to_owned(),
    }
}

fn column_name(column: Column) -> String {
    let code = match column {
        Column::Refused(code) | Column::Rejected(code) | Column::NotSupported(code) | Column::Blocked(Some(code)) => format!(", {code}"),
        Column::Blocked(None) => ", silence".to_owned(),
        Column::Bound
        | Column::Others
        | Column::Unbound
        | Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => String::new(),
    };
    format!("{}{code}", column.name())
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for row in ROWS {
        let _ = write!(
            text,
            "## The provider says: {}\n\n| the probe sees | verdict |\n|---|---|\n",
            row_name(row)
        );
        for column in SEEN {
            let _ = writeln!(text, "| {} | {} |", column_name(column), cell_text(row, column));
        }
        text.push('\n');
    }
    text.push_str(AFTER);
    text.push_str("## Every reason, by an example\n\n| verdict | reason | what it means | the report says | and advises | service |\n|---|---|---|---|---|---|\n");
    for (reason, scene) in gallery() {
        let verdict = scene.verdict();
        let service = serde_json::to_value(verdict.service).unwrap();
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} |",
            reason.outcome().name(),
            reason.name(),
            reason.meaning(),
            verdict.detail.replace('|', "\\|"),
            verdict.advice.unwrap_or_else(|| "–".to_owned()).replace('|', "\\|"),
            service.as_str().unwrap().replace('_', " ")
        );
    }
    text
}

#[test]
fn the_document_is_what_the_code_does() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/verdict-matrix.md");
    let now = document();
    if std::env::var_os("REWRITE_MATRIX").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = stored.lines().zip(now.lines()).find(|(stored, now)| stored != now);
    assert!(
        stored == now,
        "{} is not what the code does; first difference: {differs:#?}",
        path.display()
    );
}
