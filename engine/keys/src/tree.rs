//! Which keys can still be derived? A binary tree of keys, any branch of which can be cut off for good.
//!
//! A node's two children are BLAKE3 keyed with the node, over one byte that says which (Goldreich, Goldwasser and
//! Micali, *How to construct random functions*, J. ACM 33, 1986). What is kept is a *cover*: the fewest nodes below
//! which all uncut leaves lie, and no cut one. At first that is the root. Cutting a leaf replaces the node above it by
//! the siblings along the way down, at most one for each bit; nothing in the new cover leads back to what was cut, as
//! that would invert BLAKE3. Leaves that are cut side by side share their siblings: a cover never has more nodes than
//! there are uncut leaves, and k cuts among n leaves leave about k·log₂(n/k).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::branch::{BITS, Branch, Leaf};
use crate::{Key, KeyError};

/// Bytes of a node in a file: path, depth, key.
const NODE: usize = 10 + 1 + Key::BYTES;

/// The keys that were not destroyed. See the module.
#[derive(Clone)]
pub struct KeyTree {
    /// Disjoint branches with their keys, by first leaf.
    cover: BTreeMap<u128, (u8, Key)>,
}

impl std::fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyTree({} nodes)", self.cover.len())
    }
}

/// The node below a node.
fn child(key: &Key, side: u8) -> Key {
    key.derive(&[side])
}

/// From the node at one depth on a leaf's path to the one at another, deeper or the same.
pub(crate) fn descend(key: &Key, path: u128, from: u8, to: u8) -> Key {
    (from..to).fold(key.clone(), |key, depth| child(&key, (path >> (BITS - 1 - depth) & 1) as u8))
}

impl KeyTree {
    /// The tree below a key, nothing cut.
    #[must_use]
    pub fn new(root: Key) -> Self {
        Self { cover: BTreeMap::from([(Branch::ROOT.first, (Branch::ROOT.depth, root))]) }
    }

    /// The key of a leaf; `None` when it was cut. Costs a BLAKE3 compression for each bit between the leaf and the
    /// cover, 80 at most.
    ///
    /// # Errors
    /// [`KeyError::Number`] for a number that has no leaf.
    pub fn key(&self, leaf: Leaf) -> Result<Option<Key>, KeyError> {
        Ok(self.node(leaf.path()?, BITS))
    }

    /// The key of the node at this depth on a leaf's path; `None` when something below it was cut.
    pub(crate) fn node(&self, path: u128, depth: u8) -> Option<Key> {
        let (above, key) = self.above(path).filter(|(above, _)| above.depth <= depth)?;
        Some(descend(key, path, above.depth, depth))
    }

    /// Cuts a branch: afterwards none of its keys can be derived from this tree. Whether any could before.
    pub fn cut(&mut self, branch: Branch) -> bool {
        if let Some((above, key)) = self.above(branch.first).filter(|(above, _)| above.contains(branch)) {
            let mut key = key.clone();
            self.cover.remove(&above.first);
            let mut at = above;
            while at.depth < branch.depth {
                let side = at.side(branch.first);
                let sibling = at.half(1 - side);
                self.cover.insert(sibling.first, (sibling.depth, child(&key, 1 - side)));
                key = child(&key, side);
                at = at.half(side);
            }
            return true;
        }
        let inside: Vec<u128> = self.cover.range(branch.first..branch.end()).map(|(&first, _)| first).collect();
        inside.iter().for_each(|first| drop(self.cover.remove(first)));
        !inside.is_empty()
    }

    /// Whether a leaf was cut.
    ///
    /// # Errors
    /// As [`KeyTree::key`].
    pub fn is_cut(&self, leaf: Leaf) -> Result<bool, KeyError> {
        Ok(self.above(leaf.path()?).is_none())
    }

    /// Nodes of the cover: 43 bytes each in a file.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.cover.len()
    }

    /// The node of the cover at or above a path.
    fn above(&self, path: u128) -> Option<(Branch, &Key)> {
        let (&first, (depth, key)) = self.cover.range(..=path).next_back()?;
        let branch = Branch { first, depth: *depth };
        (path < branch.end()).then_some((branch, key))
    }

    /// Its bytes: node after node, ascending, each its path (10 bytes, big-endian), depth and key.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.cover.len() * NODE));
        for (first, (depth, key)) in &self.cover {
            bytes.extend_from_slice(&first.to_be_bytes()[6..]);
            bytes.push(*depth);
            bytes.extend_from_slice(key.bytes());
        }
        bytes
    }

    /// The tree in these bytes, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (nodes, rest) = bytes.as_chunks::<NODE>();
        if !rest.is_empty() {
            return Err(format!("expected nodes of {NODE} bytes, {} are left over", rest.len()));
        }
        let (mut cover, mut behind) = (BTreeMap::new(), 0);
        for node in nodes {
            let mut first = [0; 16];
            first[6..].copy_from_slice(&node[..10]);
            let branch = Branch { first: u128::from_be_bytes(first), depth: node[10] };
            let fits = branch.depth <= BITS && branch.first.is_multiple_of(1 << (BITS - branch.depth));
            if !fits || branch.first < behind {
                return Err("nodes are not ascending branches".into());
            }
            behind = branch.end();
            cover.insert(branch.first, (branch.depth, Key::new(*node.last_chunk().expect("32 bytes"))));
        }
        Ok(Self { cover })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root() -> Key {
        Key::new([7; 32])
    }

    /// The definition: from the root down, bit by bit.
    fn by_definition(path: u128) -> Key {
        (0..80)
            .rev()
            .fold(root(), |key, bit| Key::new(*blake3::keyed_hash(key.bytes(), &[(path >> bit & 1) as u8]).as_bytes()))
    }

    /// Leaves close together and far apart.
    fn leaf() -> impl Strategy<Value = Leaf> {
        let number = prop_oneof![0..6u64, Just(Leaf::MOST), any::<u32>().prop_map(u64::from)];
        (prop_oneof![0..3u32, any::<u32>()], number, 0..4).prop_map(|(realm, number, kind)| match kind {
            0 => Leaf::Realm(realm),
            1 => Leaf::Segment(realm, number),
            _ => Leaf::Record(realm, number),
        })
    }

    #[test]
    fn the_keys_are_pinned() {
        let tree = KeyTree::new(root());
        let hex = |key: Key| key.bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let key = |leaf| hex(tree.key(leaf).unwrap().unwrap());
        assert_eq!(
            [key(Leaf::Store), key(Leaf::Realm(0)), key(Leaf::Record(1, 2)), key(Leaf::Segment(1, 2))],
            ["a58fadcb9d4f767b", "d5c6cada2d27605e", "8996c2739ef34273", "13b1728c7b7adf61"]
        );
    }

    proptest! {
        #[test]
        fn what_was_cut_is_gone_and_all_else_is_as_defined(
            cuts in prop::collection::vec((leaf(), any::<bool>()), 0..12),
            asked in prop::collection::vec(leaf(), 1..12),
        ) {
            let mut tree = KeyTree::new(root());
            let mut gone: Vec<Branch> = Vec::new();
            for (leaf, whole_realm) in cuts {
                let branch = leaf.branch().unwrap();
                let branch = if whole_realm { Branch::of_realm((branch.first >> 48) as u32) } else { branch };
                let anything = !gone.iter().any(|gone| gone.contains(branch));
                prop_assert_eq!(tree.cut(branch), anything);
                gone.push(branch);
            }
            // No node that is kept lies above anything that was cut: nothing leads back to it.
            for (&first, &(depth, _)) in &tree.cover {
                let kept = Branch { first, depth };
                prop_assert!(gone.iter().all(|gone| !kept.contains(*gone) && !gone.contains(kept)));
            }
            let tree = KeyTree::decode(&tree.encode()).unwrap();
            for leaf in asked {
                let branch = leaf.branch().unwrap();
                let is_gone = gone.iter().any(|gone| gone.contains(branch));
                prop_assert_eq!(tree.key(leaf).unwrap(), (!is_gone).then(|| by_definition(branch.first)));
                prop_assert_eq!(tree.is_cut(leaf).unwrap(), is_gone);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), depth in 0..90u8) {
            let mut node = [0; NODE];
            node[10] = depth;
            prop_assert_eq!(KeyTree::decode(&node).is_ok(), depth <= 80);
            if let Ok(tree) = KeyTree::decode(&bytes) {
                prop_assert_eq!(&tree.encode()[..], &bytes[..]);
            }
        }
    }

    #[test]
    fn neighbours_that_are_cut_share_their_cover() {
        let mut tree = KeyTree::new(root());
        for number in 0..1024 {
            assert!(tree.cut(Leaf::Record(0, number).branch().unwrap()));
        }
        let many = tree.nodes();
        assert!(many <= 80 - 10, "{many} nodes for a whole branch of 1024");
        assert!(!tree.cut(Leaf::Record(0, 5).branch().unwrap()));
        assert!(tree.cut(Branch::of_realm(0)) && tree.nodes() <= 32);
    }
}
