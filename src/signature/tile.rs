//! One tile of a signature over a stretch of time: every level above its base.
//!
//! Prepending exp(z) to a signature A, by Horner's rule (Reizenstein 2019): for k = N..1
//! A_k ← h_k(k), h_0(k) = 1, h_j(k) = A_j + z/(k-j+1) ⊗ h_{j-1}(k).
//! The new letter is the slowest index, so the words that end in a suffix need nothing of the others: level j reads
//! the streams h_{j-1}(k) of its parent, k = j..N, keeps A_j in registers along the path and hands up the streams
//! h_j(k), k = j+1..N. The last level adds up products of increments with one stream, as a matrix product does.

use super::letters::{Letters, Spread, blocks};
use super::shape::Shape;
use super::walk::{Visit, Walk};
use crate::error::Result;
use crate::simd::{Lanes, Part};

/// The streams that a node reads: h(k) of its word, k = level + q - 1, at `first + (q - 1)·width` of every row of
/// `stride` vectors.
#[derive(Clone, Copy)]
pub struct Column<'a, V> {
    pub rows: &'a [V],
    pub stride: usize,
    pub first: usize,
    pub width: usize,
}

impl<V: Lanes> Column<'_, V> {
    #[inline(always)]
    pub fn at(&self, t: usize, q: usize) -> V {
        self.rows[t * self.stride + self.first + (q - 1) * self.width]
    }

    /// From step `t` on.
    #[inline(always)]
    pub fn from(&self, t: usize) -> Self {
        Column {
            rows: &self.rows[t * self.stride..],
            ..*self
        }
    }
}

/// Letters of a node that are done together.
pub const BRANCHES: usize = 6;

/// First letters and words of a block of the last level: accumulators that fit the registers.
#[inline(always)]
pub fn crown_block<V: Lanes>(dim: usize) -> (usize, usize) {
    if V::REGISTERS < 32 {
        return if dim == 3 { (4, 3) } else { (4, 2) };
    }
    match dim.div_ceil(dim.div_ceil(8)) {
        7.. => (8, 3),
        _ => (8, 4),
    }
}

/// Advances the tile over `steps` steps. `stem` is what its base hands up; `state` holds levels base + 1..=N
/// (`Shape::begin`), `streams` is scratch for levels base + 1..N. `pulse` is told the work done.
#[inline(always)]
pub fn grow<V: Lanes, F: Spread<V>>(
    shape: &Shape,
    steps: usize,
    letters: Letters<'_, F::Item>,
    stem: Column<'_, V>,
    state: &mut [V],
    streams: &mut [V],
    pulse: &mut impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let d = shape.dim;
    let mut walk = Walk::new(shape);
    while let Some(visit) = walk.next() {
        let Visit::Enter(node) = visit else { continue };
        let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
        let parent = parent_column(shape, steps, node.level, node.letter, stem, below);
        let own = &mut state[shape.begin(node.level) + node.number * d..][..d];
        let out = &mut above[..steps * shape.stream(node.level)];
        V::call(Branch::<V, F> {
            higher: shape.degree - node.level,
            letters,
            parent,
            state: own,
            out: &mut *out,
        });
        pulse(steps * d)?;
        if node.level + 1 == shape.degree {
            let words = Column {
                rows: out,
                stride: d,
                first: 0,
                width: 0,
            };
            let last = &mut state[shape.begin(shape.degree) + node.number * d * d..][..d * d];
            V::call(Crown::<V, F> {
                steps,
                letters,
                words,
                count: d,
                sums: last,
            });
            pulse(steps * d * d)?;
        }
    }
    Ok(())
}

/// Where a node of `level`, extension `letter` of its parent, finds its streams.
#[inline(always)]
pub fn parent_column<'a, V: Lanes>(
    shape: &Shape,
    steps: usize,
    level: usize,
    letter: usize,
    stem: Column<'a, V>,
    below: &'a [V],
) -> Column<'a, V> {
    if level == shape.base + 1 {
        return stem;
    }
    Column {
        rows: &below[steps * shape.streams_below(level - 1)..],
        stride: shape.stream(level - 1),
        first: letter,
        width: shape.dim,
    }
}

/// One level of a node: `state` its `dim` vectors, `out` the streams handed up, for `higher` levels above.
pub struct Branch<'a, 's, V: Lanes, F: Spread<V>> {
    pub higher: usize,
    pub letters: Letters<'a, F::Item>,
    pub parent: Column<'a, V>,
    pub state: &'s mut [V],
    pub out: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for Branch<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Branch {
            higher,
            letters,
            parent,
            state,
            out,
        } = self;
        for (begin, count) in blocks(letters.dim, BRANCHES) {
            let state = &mut state[begin..][..count];
            match count {
                1 => branches::<V, F, 1>(higher, letters, parent, begin, state, out),
                2 => branches::<V, F, 2>(higher, letters, parent, begin, state, out),
                3 => branches::<V, F, 3>(higher, letters, parent, begin, state, out),
                4 => branches::<V, F, 4>(higher, letters, parent, begin, state, out),
                5 => branches::<V, F, 5>(higher, letters, parent, begin, state, out),
                _ => branches::<V, F, 6>(higher, letters, parent, begin, state, out),
            }
        }
    }
}

#[inline(always)]
fn branches<V: Lanes, F: Spread<V>, const R: usize>(
    higher: usize,
    letters: Letters<'_, F::Item>,
    parent: Column<'_, V>,
    begin: usize,
    state: &mut [V],
    out: &mut [V],
) {
    let d = letters.dim;
    let mut a = [V::zero(); R];
    a.copy_from_slice(state);
    for (t, row) in out.chunks_exact_mut(higher * d).enumerate() {
        for (q, row) in (2..).zip(row.chunks_exact_mut(d)) {
            let h = parent.at(t, q);
            let z = &letters.over(q)[t * d + begin..][..R];
            let to = &mut row[begin..][..R];
            for r in 0..R {
                to[r] = F::vector(z[r]).mul_add(h, a[r]);
            }
        }
        let h = parent.at(t, 1);
        let z = &letters.over(1)[t * d + begin..][..R];
        for r in 0..R {
            a[r] = F::vector(z[r]).mul_add(h, a[r]);
        }
    }
    state.copy_from_slice(&a);
}

/// The last level over `count` words: `sums[word · dim + letter] += Σ_t z_letter(t) · words[t][word]`.
pub struct Crown<'a, 's, V: Lanes, F: Spread<V>> {
    pub steps: usize,
    pub letters: Letters<'a, F::Item>,
    pub words: Column<'a, V>,
    pub count: usize,
    pub sums: &'s mut [V],
}

impl<V: Lanes, F: Spread<V>> Part<V> for Crown<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Crown {
            steps,
            letters,
            words,
            count,
            sums,
        } = self;
        let (most_letters, most_words) = crown_block::<V>(letters.dim);
        for (w, width) in blocks(count, most_words) {
            for (a, letters_here) in blocks(letters.dim, most_letters) {
                let block = Block {
                    steps,
                    letters,
                    words,
                    w,
                    a,
                };
                match letters_here {
                    1 => block.over::<F, 1>(width, sums),
                    2 => block.over::<F, 2>(width, sums),
                    3 => block.over::<F, 3>(width, sums),
                    4 => block.over::<F, 4>(width, sums),
                    5 if V::REGISTERS >= 32 => block.over::<F, 5>(width, sums),
                    6 if V::REGISTERS >= 32 => block.over::<F, 6>(width, sums),
                    7 if V::REGISTERS >= 32 => block.over::<F, 7>(width, sums),
                    8 if V::REGISTERS >= 32 => block.over::<F, 8>(width, sums),
                    _ => unreachable!("a block of {letters_here} letters"),
                }
            }
        }
    }
}

/// A block of the last level: from word `w` and letter `a` on.
#[derive(Clone, Copy)]
struct Block<'a, V, Z> {
    steps: usize,
    letters: Letters<'a, Z>,
    words: Column<'a, V>,
    w: usize,
    a: usize,
}

impl<V: Lanes, Z: Copy> Block<'_, V, Z> {
    #[inline(always)]
    fn over<F: Spread<V, Item = Z>, const A: usize>(self, width: usize, sums: &mut [V]) {
        match width {
            1 => self.sum::<F, A, 1>(sums),
            2 => self.sum::<F, A, 2>(sums),
            3 if A < 4 || V::REGISTERS >= 32 => self.sum::<F, A, 3>(sums),
            4 if A < 7 && V::REGISTERS >= 32 => self.sum::<F, A, 4>(sums),
            _ => unreachable!("a block of {width} words"),
        }
    }

    #[inline(always)]
    fn sum<F: Spread<V, Item = Z>, const A: usize, const R: usize>(self, sums: &mut [V]) {
        let d = self.letters.dim;
        let mut acc = [[V::zero(); A]; R];
        for r in 0..R {
            acc[r].copy_from_slice(&sums[(self.w + r) * d + self.a..][..A]);
        }
        let z = self.letters.over(1)[..self.steps * d].chunks_exact(d);
        for (t, z) in z.enumerate() {
            let z = &z[self.a..][..A];
            let words = &self.words.rows[t * self.words.stride + self.words.first + self.w..][..R];
            for a in 0..A {
                let z = F::vector(z[a]);
                for r in 0..R {
                    acc[r][a] = z.mul_add(words[r], acc[r][a]);
                }
            }
        }
        for r in 0..R {
            sums[(self.w + r) * d + self.a..][..A].copy_from_slice(&acc[r]);
        }
    }
}
