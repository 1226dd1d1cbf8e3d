//! Situations that are put together by rule, hundreds of each kind, instead of being thought of one by one.

pub(crate) mod builds;
mod hosts;
mod middleboxes;
mod names;
mod offers;
mod sessions;
mod stores;
