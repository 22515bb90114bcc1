//! Where does a key stand in the tree? Paths of eighty bits: a realm, what it is the key of, its number.

use std::fmt;

use crate::KeyError;

/// Bits of a path: realm 32, kind 8, number 40.
pub(crate) const BITS: u8 = 80;
const KIND_BITS: u8 = 8;
const NUMBER_BITS: u8 = 40;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaf {
    /// The values of the store that belong to no realm.
    Store,
    /// The values of a realm that belong to no single encounter.
    Realm(u32),
    /// What is kept of one encounter: realm and record number.
    Record(u32, u64),
    /// One segment file: realm and segment number.
    Segment(u32, u64),
    /// One task that was promised: realm and task number.
    Task(u32, u64),
}

/// A part of the tree that can be cut off: a leaf, or everything of a realm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch {
    /// The first leaf below it: 80 bits, zeros below `depth`.
    pub(crate) first: u128,
    /// Bits that all its leaves share, from the highest on.
    pub(crate) depth: u8,
}

impl Leaf {
    /// The largest record or segment number that has a key.
    pub const MOST: u64 = (1 << NUMBER_BITS) - 1;
    /// The realm number that stands for the store itself and is never a realm's.
    pub const STORE: u32 = u32::MAX;

    /// Its path.
    ///
    /// # Errors
    /// [`KeyError::Number`] for a number beyond [`Leaf::MOST`].
    pub(crate) fn path(self) -> Result<u128, KeyError> {
        let (realm, kind, number) = match self {
            Self::Store => (Self::STORE, 0u8, 0),
            Self::Realm(realm) => (realm, 0, 0),
            Self::Record(realm, number) => (realm, 1, number),
            Self::Segment(realm, number) => (realm, 2, number),
            Self::Task(realm, number) => (realm, 3, number),
        };
        if number > Self::MOST {
            return Err(KeyError::Number { number, most: Self::MOST });
        }
        Ok(u128::from(realm) << (KIND_BITS + NUMBER_BITS) | u128::from(kind) << NUMBER_BITS | u128::from(number))
    }

    /// The branch that is this leaf alone.
    ///
    /// # Errors
    /// [`KeyError::Number`] for a number beyond [`Leaf::MOST`].
    pub fn branch(self) -> Result<Branch, KeyError> {
        Ok(Branch { first: self.path()?, depth: BITS })
    }

    /// The branches that hold every leaf of its kind with a lower number, and no other: at most forty.
    ///
    /// # Errors
    /// [`KeyError::Number`] for a number beyond [`Leaf::MOST`].
    pub fn before(self) -> Result<Vec<Branch>, KeyError> {
        let path = self.path()?;
        let set = (0..NUMBER_BITS).filter(|bit| path >> bit & 1 == 1);
        Ok(set.map(|bit| Branch { first: path >> (bit + 1) << (bit + 1), depth: BITS - bit }).collect())
    }
}

impl Branch {
    /// The whole tree.
    pub(crate) const ROOT: Self = Self { first: 0, depth: 0 };

    /// Everything of a realm.
    #[must_use]
    pub const fn of_realm(realm: u32) -> Self {
        Self { first: (realm as u128) << (KIND_BITS + NUMBER_BITS), depth: 32 }
    }

    /// One more than its last leaf.
    pub(crate) const fn end(self) -> u128 {
        self.first + (1 << (BITS - self.depth))
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.depth <= other.depth && self.first <= other.first && other.first < self.end()
    }

    /// The half of it on this side, 0 or 1; only above a leaf.
    pub(crate) const fn half(self, side: u8) -> Self {
        let depth = self.depth + 1;
        Self { first: self.first | (side as u128) << (BITS - depth), depth }
    }

    /// On which side of this branch a path below it goes on.
    pub(crate) const fn side(self, path: u128) -> u8 {
        (path >> (BITS - self.depth - 1) & 1) as u8
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Branch({:020x}/{})", self.first, self.depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_has_its_own_path_inside_its_realm() {
        let leaves = [
            Leaf::Store,
            Leaf::Realm(0),
            Leaf::Record(0, 0),
            Leaf::Record(0, Leaf::MOST),
            Leaf::Segment(0, 0),
            Leaf::Task(0, 0),
            Leaf::Realm(1),
            Leaf::Record(1, 0),
        ];
        for (i, a) in leaves.iter().enumerate() {
            assert!(leaves[..i].iter().all(|b| b.path().unwrap() != a.path().unwrap()), "{a:?}");
            let inside = Branch::of_realm(0).contains(a.branch().unwrap());
            let of_it = matches!(a, Leaf::Realm(0) | Leaf::Record(0, _) | Leaf::Segment(0, _) | Leaf::Task(0, _));
            assert_eq!(inside, of_it, "{a:?}");
        }
        assert!(matches!(Leaf::Record(0, Leaf::MOST + 1).path(), Err(KeyError::Number { .. })));
        assert_eq!(Branch::of_realm(u32::MAX).end(), Branch::ROOT.end());
    }

    #[test]
    fn what_is_before_a_leaf_is_covered_once_and_nothing_else() {
        for number in [0, 1, 2, 7, 8, 100, Leaf::MOST] {
            let branches = Leaf::Task(3, number).before().unwrap();
            let covers = |leaf: Leaf| branches.iter().filter(|b| b.contains(leaf.branch().unwrap())).count();
            for before in (0..number).take(150).chain(number.checked_sub(1)) {
                assert_eq!(covers(Leaf::Task(3, before)), 1, "{before} before {number}");
            }
            let others = [Leaf::Task(3, number), Leaf::Segment(3, 0), Leaf::Segment(3, Leaf::MOST), Leaf::Realm(4)];
            assert!(others.into_iter().all(|other| covers(other) == 0), "{number}");
        }
    }
}
