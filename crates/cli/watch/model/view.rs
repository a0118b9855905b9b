//! What of the accounts is looked at: which part of the list, which account, through which filter. Remembers accounts, not places,
//! so that the list can change under it.

use std::ops::Range;

use super::{Id, Model, Row};

/// What is looked at.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// What the screen is filled with.
    pub(crate) mode: Mode,
    /// The account that keys are for; the first that is shown when it is not among them.
    pub(super) selected: Option<Id>,
    /// The place of the first account on the screen, among those that the filter lets through.
    pub(super) offset: usize,
    /// How many accounts fit on the screen.
    pub(super) page: usize,
    /// Text that an account has to have in its name, AOR, state or cause; compared without case.
    pub(crate) filter: String,
    /// Whether only those are shown that something is wrong with.
    pub(crate) only_failing: bool,
}

/// What the screen is filled with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The list.
    #[default]
    List,
    /// The list, while a filter is written.
    Filter,
    /// One account.
    Detail {
        /// How many lines of it are above the screen.
        scrolled: usize,
    },
    /// The keys.
    Help,
}

impl View {
    pub(super) fn forget(&mut self, id: Id) {
        if self.selected == Some(id) {
            self.selected = None;
            if matches!(self.mode, Mode::Detail { .. }) {
                self.mode = Mode::List;
            }
        }
    }
}

impl Model {
    /// The accounts that the filter lets through, in their order.
    pub(crate) fn shown(&self) -> Vec<(Id, &Row)> {
        let wanted = self.view.filter.to_lowercase();
        self.rows()
            .filter(|(_, row)| !self.view.only_failing || row.is_failing())
            .filter(|(_, row)| wanted.is_empty() || mentions(row, &wanted))
            .collect()
    }

    /// The place of the selected account among those that are shown.
    pub(crate) fn selected_place(&self, shown: &[(Id, &Row)]) -> Option<usize> {
        let selected = shown.iter().position(|(id, _)| self.view.selected == Some(*id));
        selected.or_else(|| (!shown.is_empty()).then_some(0))
    }

    /// The account that keys are for. Whoever looks at one goes on looking at it, whatever a filter makes of it meanwhile.
    pub(crate) fn selected(&self) -> Option<(Id, &Row)> {
        if let (Mode::Detail { .. }, Some(id)) = (self.view.mode, self.view.selected) {
            return self.row(id).map(|row| (id, row));
        }
        let shown = self.shown();
        let place = self.selected_place(&shown)?;
        shown.get(place).copied()
    }

    /// The places of the accounts on the screen.
    pub(crate) fn window(&self, shown: usize) -> Range<usize> {
        let start = self.view.offset.min(shown);
        start..start.saturating_add(self.view.page).min(shown)
    }

    /// Fits the list to a screen with room for so many accounts, with the selected one on it.
    pub(crate) fn fit(&mut self, page: usize) {
        let shown = self.shown();
        let (count, place) = (shown.len(), self.selected_place(&shown).unwrap_or_default());
        let view = &mut self.view;
        view.page = page.max(1);
        let last = count.saturating_sub(view.page);
        view.offset = view.offset.min(last).min(place).max((place + 1).saturating_sub(view.page));
    }

    /// Selects the account so many places below, or above when negative.
    pub(super) fn step(&mut self, by: isize) {
        let shown = self.shown();
        let Some(place) = self.selected_place(&shown) else { return };
        let place = place.saturating_add_signed(by).min(shown.len() - 1);
        let selected = shown.get(place).map(|(id, _)| *id);
        self.view.selected = selected;
        self.fit(self.view.page);
    }

    /// Keeps the text of one account from being scrolled past its end: `lines` long on a screen of `height`.
    pub(crate) fn fit_detail(&mut self, lines: usize, height: usize) {
        if let Mode::Detail { scrolled } = &mut self.view.mode {
            *scrolled = (*scrolled).min(lines.saturating_sub(height));
        }
    }
}

fn mentions(row: &Row, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    has(&row.entry.title())
        || has(row.entry.account.aor.as_str())
        || has(row.shown_state().name())
        || row.shown_cause().is_some_and(|cause| has(cause.name()))
}
