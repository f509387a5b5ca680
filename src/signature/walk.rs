//! The order in which the words of a tile are visited: depth first, so that one stream a level is alive at a time.

use super::levels::MAX_DEGREE;
use super::shape::Shape;

/// A word of a tile.
#[derive(Clone, Copy, Default)]
pub struct Node {
    pub level: usize,
    /// The letter put last in front of it.
    pub letter: usize,
    /// Its number among the words of its length in the order of the walk, and in lexicographic order.
    pub number: usize,
    pub word: usize,
}

pub enum Visit {
    /// Before anything longer.
    Enter(Node),
    /// After everything longer.
    Leave(Node),
}

/// Visits the words of levels base + 1 to degree - 2; nothing where there are none.
pub struct Walk {
    /// The word that is entered, and all its ends.
    path: [Node; MAX_DEGREE],
    depth: usize,
    /// The letter of the node left by the last visit.
    left: Option<usize>,
    dim: usize,
    first: usize,
    last: usize,
}

impl Walk {
    #[inline(always)]
    pub fn new(shape: &Shape) -> Self {
        Walk {
            path: [Node::default(); MAX_DEGREE],
            depth: 0,
            left: if shape.base + 2 < shape.degree {
                None
            } else {
                Some(shape.dim)
            },
            dim: shape.dim,
            first: shape.base + 1,
            last: shape.degree.saturating_sub(2),
        }
    }

    #[inline(always)]
    fn enter(&mut self, letter: usize) -> Option<Visit> {
        let parent = self.path[self.depth.saturating_sub(1)];
        let (number, word, words) = match self.depth {
            0 => (0, 0, 1),
            depth => (parent.number * self.dim, parent.word, self.dim.pow(depth as u32)),
        };
        let node = Node {
            level: self.first + self.depth,
            letter,
            number: number + letter,
            word: letter * words + word,
        };
        self.path[self.depth] = node;
        self.depth += 1;
        self.left = None;
        Some(Visit::Enter(node))
    }

    #[inline(always)]
    pub fn next(&mut self) -> Option<Visit> {
        match self.left {
            None if self.depth == 0 || self.path[self.depth - 1].level < self.last => self.enter(0),
            Some(letter) if letter + 1 < self.dim => self.enter(letter + 1),
            _ => {
                self.depth = self.depth.checked_sub(1)?;
                let node = self.path[self.depth];
                self.left = Some(node.letter);
                Some(Visit::Leave(node))
            }
        }
    }
}
