//! Reads the XML of `mod_sofia`: flat elements in a gateway, or in each of many. FreeSWITCH says that it is ISO 8859-1, writes what it was
//! configured with, and does not escape all of it. Pure; what the elements mean is not said here.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;

use crate::listed::MOST;

/// The most elements of a gateway.
const MOST_ELEMENTS: usize = 4096;

/// The elements of a gateway, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elements(Vec<(String, String)>);

impl Elements {
    /// The first element of this name that has something in it.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// All elements.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.trim()))
    }
}

/// The one gateway of an answer.
pub(super) fn only(xml: &str) -> Result<Elements, String> {
    let mut gateways = gateways(xml)?;
    match (gateways.pop(), gateways.is_empty()) {
        (Some(elements), true) => Ok(elements),
        (Some(_), false) => Err("more than one gateway in it".to_owned()),
        (None, _) => Err("no gateway in it".to_owned()),
    }
}

/// Every `gateway` element with the elements in it. FreeSWITCH does not escape everything, and an ampersand alone breaks nothing.
/// Entities that a document declares itself are not expanded.
pub(super) fn gateways(xml: &str) -> Result<Vec<Elements>, String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    let mut gateways: Vec<Elements> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut begun = false;
    loop {
        let event = reader.read_event().map_err(|error| format!("no XML: {error}"))?;
        let inside = path.iter().rev().nth(1).is_some_and(|above| above == "gateway");
        match event {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                begin(&mut gateways, &path, &name)?;
                path.push(name);
                begun = true;
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(words) if inside => add(&mut gateways, &words),
            Event::CData(words) if inside => add(&mut gateways, &words),
            Event::GeneralRef(reference) if inside => add(&mut gateways, &resolved(&reference)),
            Event::Eof if !begun => return Err(format!("no XML: {xml}")),
            Event::Eof if !path.is_empty() => return Err("XML that is cut off".to_owned()),
            Event::Eof => return Ok(gateways),
            Event::Text(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// Makes room for a gateway, or for an element of one.
fn begin(gateways: &mut Vec<Elements>, path: &[String], name: &str) -> Result<(), String> {
    const DEEPEST: usize = 8;
    if path.len() >= DEEPEST || gateways.len() >= MOST {
        return Err("XML that is too deep or too long".to_owned());
    }
    if name == "gateway" {
        gateways.push(Elements::default());
    } else if path.last().is_some_and(|above| above == "gateway")
        && let Some(Elements(fields)) = gateways.last_mut()
        && fields.len() < MOST_ELEMENTS
    {
        fields.push((name.to_owned(), String::new()));
    }
    Ok(())
}

/// Adds to the text of the last element.
fn add(gateways: &mut [Elements], words: &str) {
    if let Some((_, value)) = gateways.last_mut().and_then(|Elements(fields)| fields.last_mut()) {
        value.push_str(words);
    }
}

/// What a reference stands for; one that XML itself does not know is kept as it stands.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.into();
    }
    let name: &str = reference;
    resolve_predefined_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}
