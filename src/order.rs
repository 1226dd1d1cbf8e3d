//! Sorting, once for all types: the standard library's is compiled anew for each type and key, 3 to 4 kB at a time, and that
//! came to a fiftieth of the program.

use std::cmp::Ordering;

/// Sorts by a key, which is asked for at each comparison; what has the same key stays in its order.
pub(crate) fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts by the items' own order.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    by(items, T::cmp);
}

fn by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let swaps = swaps(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    for (place, other) in swaps {
        items.swap(place, other);
    }
}

/// The exchanges of places, to be made one after the other, that sort so many items.
fn swaps(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut sorted: Vec<usize> = (0..count).collect();
    sorted.sort_by(|one, other| compare(*one, *other));
    // Where what was at a place is now, and which item is at a place now.
    let mut place_of: Vec<usize> = (0..count).collect();
    let mut item_at = place_of.clone();
    let mut swaps = Vec::new();
    for (place, item) in sorted.into_iter().enumerate() {
        let (Some(&from), Some(&there)) = (place_of.get(item), item_at.get(place)) else { continue };
        if from != place {
            swaps.push((place, from));
            item_at.swap(place, from);
            place_of.swap(item, there);
        }
    }
    swaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn the_order_is_that_of_the_standard_library(items in proptest::collection::vec((0u8..20, any::<u16>()), 0..200)) {
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            by_key(&mut ours, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(&ours, &theirs, "stable by key");
            sort(&mut ours);
            theirs.sort_unstable();
            prop_assert_eq!(ours, theirs);
        }
    }
}
