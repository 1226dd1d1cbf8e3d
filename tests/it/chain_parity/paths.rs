//! The shape of the chain: what the server sends, in which order, against what the root file holds.

use super::Reason::Chain;
use super::{Case, HOST, usual_ca, usual_root, usual_server};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = lengths();
    all.extend(sent());
    all.extend(held());
    all.extend(same_names());
    all.extend(cross_signed());
    all
}

/// Root, so many CAs, server: server first.
fn line(count: usize) -> (Issued, Vec<Issued>) {
    let root = usual_root().self_signed();
    let mut chain = vec![root.clone()];
    for depth in 0..count {
        let issuer = &chain[depth];
        chain.push(Draft::authority(&format!("Parity CA {depth}")).signed_by(issuer));
    }
    chain.push(usual_server().signed_by(&chain[count]));
    chain.reverse();
    chain.pop();
    (root, chain)
}

fn lengths() -> Vec<Case> {
    [0, 1, 2, 3, 4, 5, 6, 10, 30]
        .into_iter()
        .map(|count| {
            let (root, chain) = line(count);
            Case::new(format!("{count} CAs between"), &chain.iter().collect::<Vec<_>>())
                .root(&[&root])
                .accepted()
        })
        .collect()
}

fn sent() -> Vec<Case> {
    let (root, chain) = line(3);
    let [server, low, middle, high] = &chain[..] else { unreachable!("a server and three CAs") };
    let stranger = Draft::authority("Stranger").self_signed();
    let other_server = Draft::server("other.test").signed_by(&stranger);
    let strange = Draft::authority("Parity CA 2").signed_by(&stranger);
    let case = |name: &str, chain: &[&Issued]| Case::new(format!("sent {name}"), chain).root(&[&root]);
    vec![
        case("in the wrong order", &[server, high, low, middle]).accepted(),
        case("in reverse order", &[server, high, middle, low]).accepted(),
        case("twice each", &[server, low, low, middle, middle, high, high]).accepted(),
        case("with the server twice", &[server, server, low, middle, high]).accepted(),
        case("with unrelated ones between", &[server, &stranger, low, &other_server, middle, high])
            .accepted(),
        case("with the root", &[server, low, middle, high, &root]).accepted(),
        case("with the root first", &[server, &root, low, middle, high]).accepted(),
        case("without the lowest CA", &[server, middle, high]).refused(Chain),
        case("without the middle CA", &[server, low, high]).refused(Chain),
        case("without the highest CA", &[server, low, middle]).refused(Chain),
        case("with the lowest CA signed by a stranger before it", &[server, &strange, low, middle, high])
            .refused(Chain),
        case("with the lowest CA signed by a stranger behind it", &[server, low, &strange, middle, high])
            .accepted(),
        case("alone", &[server]).refused(Chain),
        case("with the CAs of somebody else", &[server, &stranger]).refused(Chain),
        case("with a self-signed root that is not in the file", &[server, low, middle, high, &root])
            .settings("sslrootcert=DIR/other.crt")
            .file("other.crt", stranger.pem())
            .refused(Chain),
    ]
}

fn held() -> Vec<Case> {
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let server = usual_server().signed_by(&ca);
    let case = |name: &str, chain: &[&Issued], held: &[&Issued]| {
        Case::new(format!("root file with {name}"), chain).root(held)
    };
    let renewed = usual_ca().signed_by(&root);
    let expired = usual_ca().expired().signed_by(&root);
    let unrevoked = Draft::authority("Unrelated").self_signed();
    let expired_root = usual_root().expired().self_signed();
    vec![
        case("root and CA, the server sends itself only", &[&server], &[&root, &ca]).accepted(),
        case("CA before root, the server sends itself only", &[&server], &[&ca, &root]).accepted(),
        case("the CA without its root", &[&server, &ca], &[&ca]).diagnosed(&codes::ROOT_FILE_LACKS_ROOT),
        case("the CA without its root, which is sent", &[&server, &ca, &root], &[&ca])
            .diagnosed(&codes::ROOT_FILE_LACKS_ROOT),
        case("the server's certificate only", &[&server, &ca, &root], &[&server])
            .diagnosed(&codes::ROOT_FILE_LACKS_ROOT),
        case("the server's certificate and its CA", &[&server, &ca, &root], &[&server, &ca])
            .diagnosed(&codes::ROOT_FILE_LACKS_ROOT),
        case("the whole chain", &[&server], &[&server, &ca, &root]).accepted(),
        case("an unrelated root", &[&server, &ca], &[&unrevoked]).refused(Chain),
        case("an unrelated root beside the right one", &[&server, &ca], &[&unrevoked, &root]).accepted(),
        case("a renewed CA beside the expired one sent", &[&server, &expired], &[&root, &renewed]).accepted(),
        case("an expired CA beside the renewed one sent", &[&server, &renewed], &[&root, &expired])
            .refused(Chain),
        case("the expired and the renewed CA", &[&server, &expired], &[&root, &expired, &renewed]).accepted(),
        case("the expired root only, the renewed one sent", &[&server, &ca, &root], &[&expired_root])
            .refused(Chain),
        case("the root only, the expired twin sent", &[&server, &ca, &expired_root], &[&root]).accepted(),
        Case::new("the expired CA sent before the renewed one", &[&server, &expired, &renewed])
            .root(&[&root])
            .accepted(),
        Case::new("the renewed CA sent before the expired one", &[&server, &renewed, &expired])
            .root(&[&root])
            .accepted(),
        Case::new(
            "a renewed root that is not the one held, same key",
            &[&server, &ca, &usual_root().self_signed()],
        )
        .root(&[&root])
        .accepted(),
    ]
}

fn same_names() -> Vec<Case> {
    let key = |label| Key::labelled(Kind::P256, label);
    let right = usual_root().self_signed();
    let wrong = usual_root().key(key("wrong")).self_signed();
    let ca = usual_ca().signed_by(&right);
    let server = usual_server().signed_by(&ca);
    let expired = usual_root().expired().self_signed();
    let future = usual_root().future().self_signed();
    let bare_right = usual_root().unidentified().self_signed();
    let bare_wrong = usual_root().unidentified().key(key("wrong")).self_signed();
    let bare_expired = usual_root().unidentified().expired().self_signed();
    let bare_wrong_expired = usual_root().unidentified().key(key("wrong")).expired().self_signed();
    let bare_ca = usual_ca().unidentified().signed_by(&bare_right);
    let bare_server = usual_server().unidentified().signed_by(&bare_ca);
    let impostor = usual_ca().key(key("impostor")).signed_by(&right);
    let bare_impostor = usual_ca().unidentified().key(key("impostor")).signed_by(&bare_right);
    let case = |name: &str, held: &[&Issued]| {
        Case::new(format!("same-named roots: {name}"), &[&server, &ca]).root(held)
    };
    let bare = |name: &str, held: &[&Issued]| {
        Case::new(format!("same-named roots without identifiers: {name}"), &[&bare_server, &bare_ca])
            .root(held)
    };
    let short = usual_root().valid(days(-2), days(10)).self_signed();
    vec![
        case("the right key first", &[&right, &wrong]).accepted(),
        case("the right key second", &[&wrong, &right]).accepted(),
        case("the other key only", &[&wrong]).diagnosed(&codes::ROOT_KEY_CHANGED),
        case("an expired twin first", &[&expired, &right]).accepted(),
        case("an expired twin second", &[&right, &expired]).accepted(),
        case("a future twin first", &[&future, &right]).accepted(),
        case("a twin ending sooner first", &[&short, &right]).accepted(),
        case("only expired twins", &[&expired, &future]).refused(Chain),
        bare("the right key first", &[&bare_right, &bare_wrong]).accepted(),
        bare("the right key second", &[&bare_wrong, &bare_right]).refused(Chain),
        bare("an expired twin first", &[&bare_expired, &bare_right]).accepted(),
        bare("an expired one of another key first", &[&bare_wrong_expired, &bare_right]).accepted(),
        bare("an expired one of another key second", &[&bare_right, &bare_wrong_expired]).accepted(),
        bare("the other key only", &[&bare_wrong]).refused(Chain),
        Case::new("same-named CAs: the right key second", &[&server, &impostor, &ca])
            .root(&[&right])
            .accepted(),
        Case::new(
            "same-named CAs without identifiers: the right key second",
            &[&bare_server, &bare_impostor, &bare_ca],
        )
        .root(&[&bare_right])
        .refused(Chain),
        Case::new(
            "same-named CAs without identifiers: the right key first",
            &[&bare_server, &bare_ca, &bare_impostor],
        )
        .root(&[&bare_right])
        .accepted(),
        Case::new("same-named CAs: only the other key sent", &[&server, &impostor])
            .root(&[&right])
            .refused(Chain),
        Case::new(
            "a server named like its CA",
            &{
                let server = Draft::server(HOST).subject(ca.subject.clone()).signed_by(&ca);
                [server, ca.clone()]
            }
            .iter()
            .collect::<Vec<_>>(),
        )
        .root(&[&right])
        .accepted(),
        Case::new(
            "a CA named like its root",
            &{
                let same = usual_root().key(key("below")).signed_by(&right);
                [usual_server().signed_by(&same), same]
            }
            .iter()
            .collect::<Vec<_>>(),
        )
        .root(&[&right])
        .accepted(),
    ]
}

fn cross_signed() -> Vec<Case> {
    let old = Draft::authority("Old Root").self_signed();
    let new = Draft::authority("New Root").self_signed();
    let new_by_old = Draft::authority("New Root").signed_by(&old);
    let old_by_new = Draft::authority("Old Root").signed_by(&new);
    let ca = usual_ca().signed_by(&new);
    let ca_by_old = usual_ca().signed_by(&old);
    let server = usual_server().signed_by(&ca);
    let expired_old = Draft::authority("Old Root").expired().self_signed();
    let expired_cross = Draft::authority("New Root").expired().signed_by(&old);
    let case = |name: &str, chain: &[&Issued], held: &[&Issued]| {
        Case::new(format!("cross-signed root: {name}"), chain).root(held)
    };
    vec![
        case("the old one is held", &[&server, &ca, &new_by_old], &[&old]).accepted(),
        case("the new one is held", &[&server, &ca, &new_by_old], &[&new]).accepted(),
        case("both are held", &[&server, &ca, &new_by_old], &[&old, &new]).accepted(),
        case("the old one is held, nothing is sent", &[&server, &ca], &[&old]).refused(Chain),
        case("the old one is held with the cross-signed one", &[&server, &ca], &[&old, &new_by_old])
            .accepted(),
        case("only the cross-signed one is held", &[&server, &ca, &new_by_old], &[&new_by_old])
            .refused(Chain),
        case("the old one held is expired", &[&server, &ca, &new_by_old], &[&expired_old]).refused(Chain),
        case(
            "the expired old one and the new one are held",
            &[&server, &ca, &new_by_old],
            &[&expired_old, &new],
        )
        .accepted(),
        case(
            "the cross-signed one sent is expired, the new one held",
            &[&server, &ca, &expired_cross],
            &[&new],
        )
        .accepted(),
        case(
            "the cross-signed one sent is expired, the old one held",
            &[&server, &ca, &expired_cross],
            &[&old],
        )
        .refused(Chain),
        case("each signs the other, the new one held", &[&server, &ca, &new_by_old, &old_by_new], &[&new])
            .accepted(),
        case(
            "each signs the other, none held",
            &[&server, &ca, &new_by_old, &old_by_new],
            &[&Draft::authority("Unrelated").self_signed()],
        )
        .refused(Chain),
        case(
            "each signs the other, held as such without a root",
            &[&server, &ca],
            &[&new_by_old, &old_by_new],
        )
        .refused(Chain),
        case(
            "two CA certificates of one key, the root of the first held",
            &[&server, &ca, &ca_by_old],
            &[&new],
        )
        .accepted(),
        case(
            "two CA certificates of one key, the root of the second held",
            &[&server, &ca, &ca_by_old],
            &[&old],
        )
        .refused(Chain),
        case("two CA certificates of one key, both roots held", &[&server, &ca, &ca_by_old], &[&old, &new])
            .accepted(),
    ]
}
