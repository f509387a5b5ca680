//! Fewer words: of the last level only those whose first letter is their largest go along the path; the others follow
//! from them, once a path, by the shuffle identity.
//!
//! Let M be the largest letter of a word, w = u M v with M at its first place, and D(x, v) the sum of S^{M s} over the
//! shuffles s of v and x reversed. A product of two coefficients is the sum over the shuffles of their words (Ree 1958),
//! of which all cancels but, for p letters in u,
//!
//! S^{uMv} = Σ_k (-1)^{p-k} S^{u_1..u_k} D(u_{k+1}..u_p, v), k = 0..p.
//!
//! The products are themselves sums of coefficients of the level, so the errors stay in proportion to the largest of
//! them: some 17 times those of the words along the path for four letters, 49 times for five.

use super::few::Products;
use super::levels::Levels;
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, MAX_LANES, Part, Real};

/// Which words of the last level go along the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    All,
    LargestFirst,
}

/// The longest words that errors allow.
pub const MOST: usize = 5;

/// The most ways to shuffle all their letters but one.
const MOST_WAYS: usize = 6;

impl Words {
    /// What is least work for a path of `steps` increments, by measurement. Single precision has no digits to spare.
    pub fn for_path<S: Real>(levels: &Levels, steps: usize) -> Self {
        let (d, n) = (levels.dim, levels.degree);
        let large = d + n >= 10 && steps >= 128 && steps * d >= 2048;
        let small = Products::of(levels).is_some() && steps >= 32;
        let worth = (3..=MOST).contains(&n) && (large || small);
        if worth && size_of::<S>() == size_of::<f64>() {
            Words::LargestFirst
        } else {
            Words::All
        }
    }

    /// The least first letter of words over a suffix whose largest letter is given; nothing where all are wanted.
    pub fn first(self, largest: usize) -> Option<usize> {
        (self == Words::LargestFirst).then_some(largest)
    }
}

/// The ways to shuffle two words behind a first letter, M: u reversed and v, of `count` letters together, `reversed` of
/// them in u. For each way, what one more at each letter of u, then of v, adds to the number of the shuffled word.
#[derive(Clone, Copy, Default)]
struct Ways {
    number: usize,
    /// The first of them: those that end in the first letter of u. The others end in the last letter of v.
    crossed: usize,
    strides: [[usize; MOST - 1]; MOST_WAYS],
}

impl Ways {
    fn new(dim: usize, count: usize, reversed: usize) -> Self {
        let mut ways = Ways::default();
        for places in (0u32..1 << count).filter(|places| places.count_ones() as usize == reversed) {
            let strides = &mut ways.strides[ways.number];
            let (mut u, mut v) = (reversed, reversed); // the next letter of each, u from its end
            for place in 0..count {
                let stride = dim.pow((count - 1 - place) as u32);
                if places >> place & 1 == 1 {
                    u -= 1;
                    strides[u] = stride;
                } else {
                    strides[v] = stride;
                    v += 1;
                }
            }
            ways.number += 1;
        }
        let all = &mut ways.strides[..ways.number];
        all.sort_by_key(|strides| strides[0] != 1);
        ways.crossed = all.iter().filter(|strides| strides[0] == 1).count();
        ways
    }
}

/// The words that did not go along the path, in room for one signature at a time.
pub struct Shuffles<V: Lanes> {
    levels: Levels,
    /// D(x, v) at the place of the word x M v, for all levels but the last; and a vector more.
    sums: Vec<V::Scalar>,
    /// By letters in all and letters reversed.
    ways: [[Ways; MOST]; MOST],
    /// For small signatures, and room for one of them and the number 1, had at first need.
    few: Option<Products>,
    state: Vec<V>,
}

impl<V: Lanes> Shuffles<V> {
    pub fn new(levels: &Levels, words: Words) -> Result<Self> {
        let mut ways = [[Ways::default(); MOST]; MOST];
        let few = Products::of(levels).filter(|_| words == Words::LargestFirst);
        let mut room = 0;
        if words == Words::LargestFirst && few.is_none() {
            room = levels.lower().total() + MAX_LANES;
            for (count, ways) in ways.iter_mut().enumerate().take(levels.degree).skip(1) {
                for (reversed, ways) in ways.iter_mut().enumerate().take(count + 1).skip(1) {
                    *ways = Ways::new(levels.dim, count, reversed);
                }
            }
        }
        Ok(Shuffles {
            levels: *levels,
            sums: try_vec(room, V::Scalar::ZERO)?,
            ways,
            few,
            state: Vec::new(),
        })
    }

    /// Completes a signature; its first number is NaN where anything in it is not finite. Nothing to do where all words
    /// went along the path.
    #[inline(always)]
    pub fn add(&mut self, signature: &mut [V::Scalar]) -> Result<()> {
        if let Some(products) = &self.few {
            if self.state.is_empty() {
                self.state = V::scratch(self.levels.total() + 1)?;
            }
            products.add_to_one(&self.levels, &mut self.state, signature);
        } else if !self.sums.is_empty() {
            V::call(Add {
                levels: self.levels,
                ways: &self.ways,
                sums: &mut self.sums,
                signature,
            });
        }
        Ok(())
    }
}

struct Add<'a, 's, S> {
    levels: Levels,
    ways: &'a [[Ways; MOST]; MOST],
    sums: &'s mut [S],
    signature: &'s mut [S],
}

impl<V: Lanes> Part<V> for Add<'_, '_, V::Scalar> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (levels, d) = (self.levels, self.levels.dim);
        let lower = levels.lower().total();
        self.sums[..lower].copy_from_slice(&self.signature[..lower]);
        let (mut begins, mut sizes) = ([0; MOST + 1], [0; MOST + 1]);
        for k in 0..=levels.degree {
            (begins[k], sizes[k]) = (levels.begin(k), levels.size(k));
        }
        for k in 2..=levels.degree {
            let mut level = Level {
                k,
                last: k == levels.degree,
                begins,
                sizes,
                sums: &mut *self.sums,
                signature: &mut *self.signature,
            };
            // The letters in the middle, those of one largest letter after those of another: what they read stays in cache.
            let mut letters = [0; MOST];
            let letters = &mut letters[..k - 2];
            for largest in if k == 2 { d - 1 } else { 0 }..d {
                loop {
                    if k == 2 || letters.contains(&largest) {
                        level.words::<V>(&self.ways[k - 1], letters);
                    }
                    if !next(letters, largest) {
                        break;
                    }
                }
            }
        }
        if !finite::<V>(self.signature) {
            self.signature[0] = V::Scalar::NAN;
        }
    }
}

/// The next word of letters up to `largest`; after the last one, the first one and false.
#[inline(always)]
fn next(letters: &mut [usize], largest: usize) -> bool {
    for letter in letters.iter_mut().rev() {
        if *letter < largest {
            *letter += 1;
            return true;
        }
        *letter = 0;
    }
    false
}

/// Whether all numbers are.
#[inline(always)]
fn finite<V: Lanes>(numbers: &[V::Scalar]) -> bool {
    let mut check = V::zero();
    for numbers in numbers.chunks(V::LANES) {
        check = V::load_some(numbers).mul_add(V::zero(), check);
    }
    check.sum() == V::Scalar::ZERO
}

/// The words of `k` letters.
struct Level<'s, S> {
    k: usize,
    last: bool,
    begins: [usize; MOST + 1],
    sizes: [usize; MOST + 1],
    sums: &'s mut [S],
    signature: &'s mut [S],
}

/// Words of all first letters up to some, given letters in the middle, and some last letters.
#[derive(Clone, Copy)]
struct Tile<'a> {
    ways: &'a Ways,
    /// Where the shuffles of the words begin, were the first and the last letter 0; and by how much the last letter
    /// moves those that end in the first one.
    bases: [usize; MOST_WAYS],
    apart: [usize; MOST_WAYS],
    /// Letters in front of M.
    before: usize,
    /// First letters, and last letters from `lane` to `end`.
    rows: usize,
    lane: usize,
    end: usize,
    /// Whether only last letters that are larger than the first are wanted.
    larger: bool,
}

/// The words that two words are cut into behind a letter each, but the first letter of the one and the last of the other:
/// where their coefficients, and sums, begin.
struct Factors {
    middle: usize,
    prefixes: [usize; MOST - 1],
    suffixes: [usize; MOST - 1],
}

impl<S: Real> Level<'_, S> {
    /// The words with these letters in the middle. M, the largest of a word that begins with another letter, is the
    /// largest in the middle if the last letter is no larger; else it is the last letter.
    #[inline(always)]
    fn words<V: Lanes<Scalar = S>>(&mut self, ways: &[Ways; MOST], letters: &[usize]) {
        let (d, n) = (self.sizes[1], self.k - 1);
        let middle = letters.iter().fold(0, |word, letter| word * d + letter);
        let mut largest = None;
        for (at, &letter) in letters.iter().enumerate() {
            if largest.is_none_or(|(_, other)| letter > other) {
                largest = Some((at, letter));
            }
        }
        let mut factors = Factors {
            middle,
            prefixes: [0; MOST - 1],
            suffixes: [0; MOST - 1],
        };
        let (mut prefix, mut suffix) = (0, middle);
        for k in 1..=n {
            factors.prefixes[k - 1] = self.begins[k] + prefix;
            factors.suffixes[k - 1] = self.begins[self.k - k] + suffix * d;
            if let Some(letter) = letters.get(k - 1) {
                prefix = prefix * d + letter;
                suffix -= letter * self.sizes[n - 1 - k];
            }
        }
        let mut tile = Tile {
            ways: &ways[n],
            bases: [self.begins[self.k]; MOST_WAYS],
            apart: [self.sizes[n]; MOST_WAYS],
            before: n,
            rows: d - 1,
            lane: 0,
            end: d,
            larger: true,
        };
        for (&letter, size) in letters.iter().zip(&self.sizes[1..]) {
            tile.bases[0] += letter * size;
        }
        if let Some((at, largest)) = largest {
            tile.lane = largest + 1;
            let ways = &ways[at + 1];
            let mut inner = Tile {
                ways,
                bases: [self.begins[self.k] + largest * self.sizes[n]; MOST_WAYS],
                before: at + 1,
                rows: largest,
                lane: 0,
                end: largest + 1,
                larger: false,
                ..tile
            };
            for w in 0..ways.number {
                let strides = &ways.strides[w];
                inner.apart[w] = strides[n - 1];
                for (i, &letter) in letters.iter().enumerate() {
                    // Letter i + 1 of the word; those after M are one place further left.
                    if i < at {
                        inner.bases[w] += letter * strides[i + 1];
                    } else if i > at {
                        inner.bases[w] += letter * strides[i];
                    }
                }
            }
            self.squares::<V>(&inner, &factors);
        }
        self.squares::<V>(&tile, &factors);
    }

    /// A tile, cut into squares.
    #[inline(always)]
    fn squares<V: Lanes<Scalar = S>>(&mut self, tile: &Tile<'_>, factors: &Factors) {
        for row in (0..tile.rows).step_by(V::LANES) {
            for lane in (tile.lane..tile.end).step_by(V::LANES) {
                if tile.larger && tile.end.min(lane + V::LANES) <= row + 1 {
                    continue;
                }
                match if self.last { tile.before } else { 0 } {
                    0 => self.square::<V, 0>(tile, factors, row, lane),
                    1 => self.square::<V, 1>(tile, factors, row, lane),
                    2 => self.square::<V, 2>(tile, factors, row, lane),
                    3 => self.square::<V, 3>(tile, factors, row, lane),
                    _ => self.square::<V, 4>(tile, factors, row, lane),
                }
            }
        }
    }

    /// The sums of shuffles that end in the first letter: they lie in columns.
    #[inline(always)]
    fn crossed<V: Lanes<Scalar = S>>(&self, tile: &Tile<'_>, row: usize, lane: usize) -> [V; MAX_LANES] {
        let mut sums = [V::zero(); MAX_LANES];
        for w in 0..tile.ways.crossed {
            let apart = tile.apart[w];
            let from = &self.signature[tile.bases[w] + lane * apart + row..];
            if from.len() >= V::LANES * apart + V::LANES {
                for l in 0..V::LANES {
                    sums[l] = sums[l] + V::load(&from[l * apart..]);
                }
            } else {
                for l in 0..V::LANES {
                    sums[l] = sums[l] + V::load_some(from.get(l * apart..).unwrap_or_default());
                }
            }
        }
        V::transpose(&mut sums);
        sums
    }

    /// `B` letters in front of M, or 0 where only D is wanted.
    #[inline(always)]
    fn square<V: Lanes<Scalar = S>, const B: usize>(
        &mut self,
        tile: &Tile<'_>,
        factors: &Factors,
        row: usize,
        lane: usize,
    ) {
        let sums = self.crossed::<V>(tile, row, lane);
        // D(u_{k+1}.., v), with its sign, has not the first letter; S^{u_1..u_k} has it and others.
        let mut terms = [V::zero(); B];
        for k in 0..B {
            let term = V::load(&self.sums[factors.suffixes[k] + lane..]);
            terms[k] = if (B - k) % 2 == 1 { term } else { V::zero() - term };
        }
        let sign = V::constant(if B & 1 == 0 { 1.0 } else { -1.0 });
        let straight = &tile.bases[tile.ways.crossed..tile.ways.number];
        let strides = &tile.ways.strides[tile.ways.crossed..];
        let count = V::LANES.min(tile.end - lane);
        let end = tile.rows.min(row + V::LANES);
        let whole = count == V::LANES && !(tile.larger && lane < end);
        for first in row..end {
            let mut sum = sums[first - row];
            for (base, strides) in straight.iter().zip(strides) {
                sum = sum + V::load_some(&self.signature[base + first * strides[0] + lane..]);
            }
            if B > 0 {
                let mut all = V::zero();
                for k in 0..B {
                    let factor = V::splat(self.signature[factors.prefixes[k] + first * self.sizes[k]]);
                    all = factor.mul_add(terms[k], all);
                }
                sum = sign.mul_add(sum, all);
            }
            let skip = if tile.larger {
                (first + 1).saturating_sub(lane)
            } else {
                0
            };
            let at = self.begins[self.k] + (first * self.sizes[self.k - 2] + factors.middle) * self.sizes[1] + lane;
            let to = if B > 0 {
                &mut self.signature[at..]
            } else {
                &mut self.sums[at..]
            };
            if whole {
                sum.store(to);
            } else if to.len() >= V::LANES {
                let old = V::load(to);
                old.first(skip.min(count), sum).first(count, old).store(to);
            } else {
                let old = V::load_some(to);
                old.first(skip.min(count), sum).store_some(&mut to[..count]);
            }
        }
    }
}
