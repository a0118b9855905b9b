//! Reading a list page by page, as a stream. It ends whatever the server says of its pages: one that leaves `meta` out, counts wrong or
//! gives the same page again does not keep us for ever.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Client, unexpected};
use crate::reading::count;
use crate::{ApiError, ApiTrouble, Request};

/// The most pages that are read: 100,000 items by 250.
const MOST_PAGES: u32 = 400;
/// The most items that a page has.
const MOST_ON_PAGE: usize = 250;
/// The most JSON that is kept of a whole list, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A list of the API.
pub(super) struct List<T> {
    /// What errors call it.
    pub(super) asked: &'static str,
    /// The field with the items.
    pub(super) items: &'static str,
    /// Reads an item.
    pub(super) read: fn(&Value) -> Option<T>,
}

/// The items of a list, asked for as they are taken.
///
/// ```no_run
/// # async fn example(client: &regprobe_providers::telnyx::Client) -> Result<(), regprobe_providers::ApiError> {
/// let mut connections = client.uac_connections(&Default::default());
/// while let Some(connection) = connections.next().await {
///     println!("{}", connection?.id);
/// }
/// # Ok(()) }
/// ```
pub struct Pages<'a, T> {
    client: &'a Client,
    base: Request,
    list: List<T>,
    page_size: u32,
    ready: VecDeque<T>,
    next_page: Option<u32>,
    last_items: Vec<Value>,
    /// How many bytes of JSON all pages had so far.
    heard: usize,
}

impl<'a, T> Pages<'a, T> {
    /// A list that `base` asks for; what `base` has in its query stays on every page.
    pub(super) fn new(client: &'a Client, base: Request, page_size: u32, list: List<T>) -> Self {
        Self {
            client,
            base: base.query("page[size]", page_size.to_string()),
            list,
            page_size,
            ready: VecDeque::new(),
            next_page: Some(1),
            last_items: Vec::new(),
            heard: 0,
        }
    }

    /// The next item; `None` after the last one, and after an error.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::TooLarge`] after 400 pages or for one of more than 250 items, [`ApiTrouble::Contract`] when items cannot
    /// be read, when a page comes again, and when one is empty that should not be the last.
    pub async fn next(&mut self) -> Option<Result<T, ApiError>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            let page = self.next_page.take()?;
            if let Err(error) = self.turn(page).await {
                return Some(Err(error));
            }
        }
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`Self::next`]; [`ApiTrouble::TooLarge`] also for pages of more than 16 MiB together.
    pub async fn all(mut self) -> Result<Vec<T>, ApiError> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
            if self.heard > MOST_BYTES {
                return Err(ApiError::new(
                    ApiTrouble::TooLarge,
                    self.list.asked,
                    "the list is longer than 16 MiB",
                ));
            }
        }
        Ok(items)
    }

    /// Asks for a page and decides whether there is another.
    async fn turn(&mut self, page: u32) -> Result<(), ApiError> {
        let mut request = self.base.clone();
        if page > 1 {
            request = request.query("page[number]", page.to_string());
        }
        let reply = self.client.ask(request).await?;
        let wrong = |problem: String| unexpected(&reply, &problem);
        let items = reply.body.get(self.list.items).and_then(Value::as_array);
        let items = items.ok_or_else(|| wrong(format!("the answer has no list in {}", self.list.items)))?;
        let total = reply.body.pointer("/meta/total_pages").and_then(count::<u32>);
        if items.is_empty() || *items == self.last_items {
            // Without a count that is how a list ends, with pages and without. With one it is a fault, and items are missing.
            let what = if items.is_empty() { "empty" } else { "the one before it again" };
            let missing = total.filter(|&total| page < total || !items.is_empty());
            return missing.map_or(Ok(()), |total| Err(wrong(format!("page {page} of {total} is {what}"))));
        }
        if items.len() > MOST_ON_PAGE {
            return Err(ApiError {
                trouble: ApiTrouble::TooLarge,
                ..wrong(format!("page {page} has more than {MOST_ON_PAGE} items"))
            });
        }
        self.heard += reply.body.to_string().len();
        let read: Option<VecDeque<_>> = items.iter().map(self.list.read).collect();
        let read = read.ok_or_else(|| wrong("an item of the list cannot be read".to_owned()))?;
        let is_full = items.len() >= usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let goes_on = total.map_or(is_full, |total| page < total);
        if goes_on && page >= MOST_PAGES {
            return Err(ApiError {
                trouble: ApiTrouble::TooLarge,
                ..wrong(format!("there are more than {MOST_PAGES} pages"))
            });
        }
        self.next_page = goes_on.then_some(page + 1);
        self.last_items.clone_from(items);
        self.ready = read;
        Ok(())
    }
}
