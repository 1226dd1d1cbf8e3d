//! What is said of a root file, in one place for the check of a server and for the commands that look at a file alone:
//! a function a code, over values. The rules call these functions with what the evidence shows, `roots` with what its
//! arguments say, so that the same file gets the same title, cause, facts and fixes everywhere.

mod against_provider;
mod anchors;
mod assessment;
mod context;
mod conversion;
mod sources;
mod twins;
mod unfit;
mod unusable;

pub use against_provider::{ROOT_BUNDLE_INCOMPLETE, ROOT_EXPIRES_SOON, ROOT_NOT_IN_FILE, ROOT_RETIRED};
pub use against_provider::{ends_soon, in_file, incomplete, lacks_all, retired};
pub use anchors::{ROOT_EXPIRED, ROOT_FILE_LACKS_ROOT};
pub use assessment::{Assessment, Purpose, outside};
pub use context::{Context, Server};
pub use sources::present_roots;
pub use unfit::unfit;
pub use unusable::{ROOT_FILE_INVALID, ROOT_FILE_MISSING, ROOT_FILE_UNREADABLE};

pub(super) use anchors::{Anchors, expired, lacks_root};
pub(super) use conversion::to_pem;
pub(super) use sources::{TO_ITS_PATH, get_root, provider_roots, root_sources};
pub(super) use twins::order;
pub(super) use unusable::{content_for_path, invalid, missing, unreadable};
