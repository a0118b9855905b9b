//! Lists: filters and order as they are asked for, and an end whatever the server counts.

use regprobe_providers::telnyx::UacQuery;
use regprobe_providers::{ApiError, ApiTrouble};
use serde_json::{Value, json};

use crate::client;
use crate::support::{Response, Seen, Server};

/// The page that is asked for.
fn page_of(seen: &Seen) -> u32 {
    let number = seen.target.split("page%5Bnumber%5D=").nth(1);
    number.map_or(1, |rest| rest.split('&').next().unwrap().parse().unwrap())
}

/// Pages of two, the numbers counted through.
fn items(page: u32) -> Value {
    json!([{"id": page * 2 - 1}, {"id": page * 2}])
}

async fn ids(server: &Server) -> Result<Vec<String>, ApiError> {
    let query = UacQuery::default().page_of(2).unwrap();
    let all = client(server).uac_connections(&query).all().await?;
    Ok(all.into_iter().map(|connection| connection.id).collect())
}

#[tokio::test]
async fn filters_and_order_stay_on_every_page() {
    let server = Server::answering(|seen| {
        let page = page_of(seen);
        Response::json(200, json!({"data": items(page), "meta": {"total_pages": 2, "page_number": page}}))
    });
    let query = UacQuery::default().name_contains("off").unwrap().fqdn("a.uac.telnyx.com");
    let query = query
        .outbound_voice_profile("17")
        .sorted("-connection_name".parse().unwrap())
        .page_of(2)
        .unwrap();
    let all = client(&server).uac_connections(&query).all().await.unwrap();
    assert_eq!(all.len(), 4);
    let first = "GET /v2/uac_connections?filter%5Bconnection_name%5D%5Bcontains%5D=off&filter%5Bfqdn%5D=a.uac.telnyx.com\
                 &filter%5Boutbound_voice_profile_id%5D=17&sort=-connection_name&page%5Bsize%5D=2";
    assert_eq!(server.lines(), [first.to_owned(), format!("{first}&page%5Bnumber%5D=2")]);
}

#[tokio::test]
async fn a_page_is_asked_for_when_its_items_are_wanted() {
    let server = Server::answering(|seen| Response::json(200, json!({"data": items(page_of(seen)), "meta": {"total_pages": 9}})));
    let client = client(&server);
    let mut pages = client.uac_connections(&UacQuery::default());
    assert_eq!(server.lines().len(), 0);
    assert!(pages.next().await.unwrap().is_ok() && pages.next().await.unwrap().is_ok());
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn without_a_count_a_list_ends_with_a_page_that_is_not_full() {
    let server = Server::answering(|seen| match page_of(seen) {
        page @ 1..=2 => Response::json(200, json!({"data": items(page)})),
        _ => Response::json(200, json!({"data": [{"id": 5}]})),
    });
    assert_eq!(ids(&server).await.unwrap(), ["1", "2", "3", "4", "5"]);
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn without_a_count_a_list_ends_when_a_page_comes_again() {
    let server = Server::answering(|_| Response::json(200, json!({"data": items(1)})));
    assert_eq!(ids(&server).await.unwrap(), ["1", "2"]);
    assert_eq!(server.lines().len(), 2);
}

/// Two pages of which the second is empty and counts so many.
fn second_is_empty(total: u32) -> Server {
    Server::answering(move |seen| {
        let page = page_of(seen);
        let data = if page == 1 { items(1) } else { json!([]) };
        let total = if page == 1 { 2 } else { total };
        Response::json(200, json!({"data": data, "meta": {"total_pages": total}}))
    })
}

#[tokio::test]
async fn what_was_removed_meanwhile_is_no_fault() {
    for total in [0, 1, 2] {
        assert_eq!(ids(&second_is_empty(total)).await.unwrap(), ["1", "2"], "{total}");
    }
}

#[tokio::test]
async fn an_empty_page_before_the_last_is_a_fault() {
    let error = ids(&second_is_empty(3)).await.unwrap_err();
    assert_eq!(error.trouble, ApiTrouble::Contract);
    assert!(error.detail.contains("page 2 of 3 is empty"), "{}", error.detail);
}

#[tokio::test]
async fn a_page_of_more_items_than_any_has_is_not_read() {
    let many = (0..251).map(|id| json!({"id": id})).collect::<Vec<_>>();
    let server = Server::start([Response::json(200, json!({ "data": many }))]);
    assert_eq!(ids(&server).await.unwrap_err().trouble, ApiTrouble::TooLarge);
}

#[tokio::test]
async fn a_list_that_no_memory_should_hold_is_not_kept() {
    let long = vec![10_000_000_000_u64; 80_000];
    let server = Server::answering(move |seen| {
        let page = page_of(seen);
        let data = json!([{"id": page, "note": long}]);
        Response::json(200, json!({"data": data, "meta": {"total_pages": 400}}))
    });
    assert_eq!(ids(&server).await.unwrap_err().trouble, ApiTrouble::TooLarge);
    assert_eq!(server.lines().len(), 18);
}

#[tokio::test]
async fn the_same_page_again_is_a_fault_when_more_were_promised() {
    let server = Server::answering(|_| Response::json(200, json!({"data": items(1), "meta": {"total_pages": 3}})));
    let error = ids(&server).await.unwrap_err();
    assert_eq!((error.trouble, server.lines().len()), (ApiTrouble::Contract, 2));
    assert!(error.detail.contains("page 2 of 3 is the one before it again"), "{}", error.detail);
}

#[tokio::test]
async fn a_list_without_end_is_ended() {
    let server = Server::answering(|seen| {
        let page = page_of(seen);
        Response::json(
            200,
            json!({"data": items(page), "meta": {"total_pages": 4_000_000, "page_number": page}}),
        )
    });
    let error = ids(&server).await.unwrap_err();
    assert_eq!((error.trouble, server.lines().len()), (ApiTrouble::TooLarge, 400));
}

#[tokio::test]
async fn an_error_on_a_later_page_ends_the_list() {
    let server = Server::answering(|seen| match page_of(seen) {
        1 => Response::json(200, json!({"data": items(1), "meta": {"total_pages": 3}})),
        _ => Response::json(403, "{}"),
    });
    let client = client(&server);
    let query = UacQuery::default().page_of(2).unwrap();
    let mut pages = client.uac_connections(&query);
    assert!(pages.next().await.unwrap().is_ok() && pages.next().await.unwrap().is_ok());
    assert_eq!(pages.next().await.unwrap().unwrap_err().trouble, ApiTrouble::Forbidden);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn what_is_no_list_follows_no_contract() {
    for body in [json!({}), json!([]), json!({"data": {}}), json!({"data": [{"name": "no id"}]})] {
        let server = Server::start([Response::json(200, &body)]);
        assert_eq!(ids(&server).await.unwrap_err().trouble, ApiTrouble::Contract, "{body}");
    }
}

#[tokio::test]
async fn the_lists_of_external_connections_and_of_their_log_are_read() {
    let server = Server::start([
        Response::json(200, json!({"data": [{"id": "7"}], "meta": {"total_pages": 1}})),
        Response::json(
            200,
            json!({"log_messages": [{"code": "1", "title": "x"}], "meta": {"total_pages": 1}}),
        ),
    ]);
    let client = client(&server);
    assert_eq!(client.external_connections().all().await.unwrap()[0].id, "7");
    let log = client.log_messages(Some(&crate::key("7"))).all().await.unwrap();
    assert_eq!(log[0].title.as_deref(), Some("x"));
    let lines = server.lines();
    assert_eq!(lines[0], "GET /v2/external_connections?page%5Bsize%5D=250");
    assert_eq!(
        lines[1],
        "GET /v2/external_connections/log_messages?filter%5Bexternal_connection_id%5D=7&page%5Bsize%5D=250"
    );
}
