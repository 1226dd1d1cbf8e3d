//! Listings: what is shown without a check. Pages of the catalogue, root files, clients, settings, one file each. Each
//! comes as a page for people and as one JSON object on a line, and has no other form.

pub mod catalogue;
pub mod clients;
pub mod guide;
pub mod readings;
pub mod rewritten;
pub mod roots;
mod settings;
mod terms;

use serde_json::{Map, Value as Json, json};

use super::Form;
use super::json::{SCHEMA, line};
use super::page::Page;
use super::style::Style;

/// Something to be listed.
pub trait Listing {
    /// For people.
    fn page(&self, page: &mut Page);

    /// For machines: the fields of the object, in their order, without `schema`.
    fn fields(&self) -> Vec<(&'static str, Json)>;
}

impl Form {
    /// A listing as it is printed.
    pub fn text(self, listing: &dyn Listing, style: Style) -> String {
        match self {
            Self::Page => {
                let mut page = Page::new(style);
                listing.page(&mut page);
                page.into_text()
            }
            Self::Json => {
                let mut object = Map::new();
                object.insert("schema".to_owned(), json!(SCHEMA));
                object.extend(listing.fields().into_iter().map(|(name, value)| (name.to_owned(), value)));
                line(&Json::Object(object))
            }
        }
    }

    /// Several as they are printed: pages with an empty line between them, objects a line each.
    pub fn texts<L: Listing>(self, listings: &[L], style: Style) -> String {
        let texts: Vec<String> = listings.iter().map(|listing| self.text(listing, style)).collect();
        texts.join(match self {
            Self::Page => "\n",
            Self::Json => "",
        })
    }
}
