//! The shape of a computation by suffix tiles.
//!
//! Prepending a letter never touches the last letters of a word (Kidger & Lyons 2020 append; see `tile`), so all words
//! that end in the same `base` letters are a closed system: a tile. A vector holds `LANES` such suffixes, or one
//! suffix of `LANES` paths, then with `base = 0`: the empty suffix.

use super::levels::Levels;
use crate::error::Result;
use crate::memory::{try_collect, try_vec};

/// A signature seen as tiles: `width` vectors of suffixes of `base` letters; over each of them words of 1..=depth
/// more letters.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub dim: usize,
    pub degree: usize,
    pub base: usize,
    pub width: usize,
}

impl Shape {
    /// One lane a path.
    pub fn of_paths(levels: &Levels) -> Self {
        Shape {
            dim: levels.dim,
            degree: levels.degree,
            base: 0,
            width: 1,
        }
    }

    /// One lane a suffix, of as many letters as cost the least; two levels or more.
    pub fn of_suffixes(levels: &Levels, lanes: usize) -> Self {
        let shape = |base: usize| Shape {
            dim: levels.dim,
            degree: levels.degree,
            base,
            width: levels.size(base).div_ceil(lanes),
        };
        let cost = |base: usize| shape(base).cost(levels, lanes);
        let best = (1..levels.degree).min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        shape(best.unwrap_or(1))
    }

    /// Vector operations a step, those of the base counted several times: its rows are short and not aligned.
    fn cost(&self, levels: &Levels, lanes: usize) -> f64 {
        let weight = |k: usize| (self.degree - k + 1) as f64;
        let row = |k: usize| self.dim as f64 * levels.size(k - 1).div_ceil(lanes) as f64;
        let below: f64 = (1..=self.base).map(|k| weight(k) * row(k)).sum();
        let above = (self.base + 1..=self.degree)
            .map(|k| weight(k) * (levels.size(k) / levels.size(self.base)) as f64 * self.width as f64);
        4.0 * below + above.sum::<f64>()
    }

    /// Vectors of a tile's state at level `k`, one a word of `k - base` letters.
    #[inline(always)]
    pub fn words(&self, k: usize) -> usize {
        self.dim.pow((k - self.base) as u32)
    }

    /// Where level `k` of a tile's state begins. Its vectors lie in the order of the walk: the words reversed, the
    /// letter put last in front changes fastest.
    #[inline(always)]
    pub fn begin(&self, k: usize) -> usize {
        (self.base + 1..k).map(|j| self.words(j)).sum()
    }

    /// Vectors a step of the streams of all levels below `k`: each level hands up one for every level above it.
    #[inline(always)]
    pub fn streams_below(&self, k: usize) -> usize {
        (self.base + 1..k).map(|j| self.degree - j).sum()
    }

    /// Vectors a step of the streams of all levels that have any stored: the last two are done in registers.
    #[inline(always)]
    pub fn streams(&self) -> usize {
        self.streams_below(self.degree - 1)
    }

    /// What a word of level `k` reads: the streams of the word without its first letter.
    #[inline(always)]
    pub fn parent<'a, T>(&self, steps: usize, k: usize, stem: &'a [T], streams: &'a [T]) -> &'a [T] {
        let row = steps * (self.degree - k + 1);
        if k == self.base + 1 {
            &stem[..row]
        } else {
            &streams[steps * self.streams_below(k - 1)..][..row]
        }
    }
}

/// Where the words of a tile lie in its state: `places[k][u]` for the word number `u` of `base + k + 1` letters
/// without its suffix.
pub struct Places(Vec<Vec<u32>>);

impl Places {
    pub fn new(shape: &Shape) -> Result<Self> {
        let mut all: Vec<Vec<u32>> = try_collect((shape.base..shape.degree).map(|_| Vec::new()))?;
        let mut shorter: &[u32] = &[0];
        for (slot, k) in all.iter_mut().zip(shape.base + 1..) {
            let mut places = try_vec(shape.words(k), 0)?;
            for (first, block) in places.chunks_exact_mut(shorter.len()).enumerate() {
                for (place, &rest) in block.iter_mut().zip(shorter) {
                    *place = rest * shape.dim as u32 + first as u32;
                }
            }
            *slot = places;
            shorter = slot;
        }
        Ok(Places(all))
    }

    /// Places in level `k` of the state, in the order of the words.
    pub fn level(&self, shape: &Shape, k: usize) -> &[u32] {
        &self.0[k - shape.base - 1]
    }
}
