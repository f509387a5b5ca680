//! The adjoint of a tile: given ∂F/∂A of every level after the last step, what each increment gets.
//!
//! The adjoint of the last level is constant along the path. Walking depth first, a node's streams are computed as in
//! `tile`; what its longer words hand back, h̄(k), follows when they are done; then a pass back in time through the
//! node itself: with b(k) = h̄_j(k), b(j) = Ā_j:
//! z̄_i += Σ_k <h_{j-1}(k), b(k)[i]>/q,  h̄_{j-1}(k) += Σ_i z_i/q · b(k)[i],  Ā_j += Σ_{k>j} b(k),  q = k-j+1.
//! All streams are recomputed or stored, none is had by un-multiplying along the path, which drifts.

use super::letters::{Letters, Spread, blocks, reciprocal};
use super::shape::Shape;
use super::tile::{BRANCHES, Branch, Column, crown_block, parent_column};
use super::walk::{Visit, Walk};
use crate::error::Result;
use crate::simd::{Lanes, Part};

/// Where a node's adjoint streams go, shaped like a `Column`. The first block of letters to come sets them.
struct ColumnMut<'a, V> {
    rows: &'a mut [V],
    stride: usize,
    first: usize,
    width: usize,
}

/// What a tile works on, besides its streams.
pub struct Tile<'a, V, Z> {
    pub shape: Shape,
    pub steps: usize,
    pub letters: Letters<'a, Z>,
    /// Levels base + 1..N before the first step; of level N nothing is needed.
    pub state: &'a mut [V],
    /// Adjoints of levels base + 1..=N after the last step.
    pub adjoint: &'a mut [V],
    /// z̄, one row of `dim` vectors a step, is added to this.
    pub gradient: &'a mut [V],
}

/// `stem` is what the base hands up, `stem_adjoint` (its rows; the column is that of `stem`, with the strides given)
/// takes what is handed back. `streams` and `adjoints` are scratch for levels base + 1..N.
#[inline(always)]
pub fn pull_back<V: Lanes, F: Spread<V>>(
    tile: &mut Tile<'_, V, F::Item>,
    stem: Column<'_, V>,
    stem_adjoint: (&mut [V], usize, usize, usize),
    streams: &mut [V],
    adjoints: &mut [V],
    pulse: &mut impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let (shape, steps, d) = (tile.shape, tile.steps, tile.shape.dim);
    let (stem_rows, stride, first, width) = stem_adjoint;
    let mut walk = Walk::new(&shape);
    while let Some(visit) = walk.next() {
        match visit {
            Visit::Enter(node) => {
                let (below, above) = streams.split_at_mut(steps * shape.streams_below(node.level));
                let parent = parent_column(&shape, steps, node.level, node.letter, stem, below);
                let own = &mut tile.state[shape.begin(node.level) + node.number * d..][..d];
                let out = &mut above[..steps * shape.stream(node.level)];
                V::call(Branch::<V, F> {
                    higher: shape.degree - node.level,
                    letters: tile.letters,
                    parent,
                    state: own,
                    out: &mut *out,
                });
                if node.level + 1 == shape.degree {
                    let words = Column {
                        rows: out,
                        stride: d,
                        first: 0,
                        width: 0,
                    };
                    let back = &mut adjoints[steps * shape.streams_below(node.level)..][..steps * d];
                    let top = &tile.adjoint[shape.begin(shape.degree) + node.number * d * d..][..d * d];
                    let gradient = &mut *tile.gradient;
                    pull_back_top::<V, F>(steps, tile.letters, words, top, gradient, (back, d, 0));
                    pulse(2 * steps * d * d)?;
                }
            }
            Visit::Leave(node) => {
                let parent = parent_column(&shape, steps, node.level, node.letter, stem, streams);
                let (below, above) = adjoints.split_at_mut(steps * shape.streams_below(node.level));
                let to = if node.level == shape.base + 1 {
                    ColumnMut {
                        rows: &mut *stem_rows,
                        stride,
                        first,
                        width,
                    }
                } else {
                    ColumnMut {
                        rows: &mut below[steps * shape.streams_below(node.level - 1)..],
                        stride: shape.stream(node.level - 1),
                        first: node.letter,
                        width: d,
                    }
                };
                let higher = shape.degree - node.level;
                V::call(BranchBack::<V, F> {
                    higher,
                    letters: tile.letters,
                    parent,
                    back: &above[..steps * higher * d],
                    adjoint: &mut tile.adjoint[shape.begin(node.level) + node.number * d..][..d],
                    gradient: &mut tile.gradient[..steps * d],
                    to,
                });
                pulse(2 * steps * shape.stream(node.level))?;
            }
        }
    }
    Ok(())
}

/// The pass back through a node: `adjoint` its vectors, `back` what its longer words handed back.
struct BranchBack<'a, 's, V: Lanes, F: Spread<V>> {
    higher: usize,
    letters: Letters<'a, F::Item>,
    parent: Column<'a, V>,
    back: &'a [V],
    adjoint: &'s mut [V],
    gradient: &'s mut [V],
    to: ColumnMut<'s, V>,
}

impl<V: Lanes, F: Spread<V>> Part<V> for BranchBack<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (mut to, gradient) = (self.to, self.gradient);
        for (begin, count) in blocks(self.letters.dim, BRANCHES) {
            let own = &mut self.adjoint[begin..][..count];
            let pass = Back {
                higher: self.higher,
                letters: self.letters,
                parent: self.parent,
                begin,
                back: self.back,
            };
            match count {
                1 => pass.run::<F, 1>(own, gradient, &mut to),
                2 => pass.run::<F, 2>(own, gradient, &mut to),
                3 => pass.run::<F, 3>(own, gradient, &mut to),
                4 => pass.run::<F, 4>(own, gradient, &mut to),
                5 => pass.run::<F, 5>(own, gradient, &mut to),
                _ => pass.run::<F, 6>(own, gradient, &mut to),
            }
        }
    }
}

/// A block of the letters of a node, from `begin` on.
struct Back<'a, V, Z> {
    higher: usize,
    letters: Letters<'a, Z>,
    parent: Column<'a, V>,
    begin: usize,
    back: &'a [V],
}

impl<V: Lanes, Z: Copy> Back<'_, V, Z> {
    #[inline(always)]
    fn run<F: Spread<V, Item = Z>, const R: usize>(
        self,
        adjoint: &mut [V],
        gradient: &mut [V],
        to: &mut ColumnMut<'_, V>,
    ) {
        let d = self.letters.dim;
        let mut a = [V::zero(); R];
        a.copy_from_slice(adjoint);
        let rows = self
            .back
            .chunks_exact(self.higher * d)
            .zip(gradient.chunks_exact_mut(d));
        for (t, (row, gradient)) in rows.enumerate().rev() {
            let gradient = &mut gradient[self.begin..][..R];
            let mut g = [V::zero(); R];
            g.copy_from_slice(gradient);
            let old = a;
            for (q, row) in (2..).zip(row.chunks_exact(d)) {
                let h = self.parent.at(t, q) * V::splat(reciprocal(q));
                let z = &self.letters.over(q)[t * d + self.begin..][..R];
                let b = &row[self.begin..][..R];
                let mut sum = V::zero();
                for r in 0..R {
                    g[r] = h.mul_add(b[r], g[r]);
                    sum = F::vector(z[r]).mul_add(b[r], sum);
                    a[r] = a[r] + b[r];
                }
                to.put(t, q, sum, self.begin == 0);
            }
            let h = self.parent.at(t, 1);
            let z = &self.letters.over(1)[t * d + self.begin..][..R];
            let mut sum = V::zero();
            for r in 0..R {
                g[r] = h.mul_add(old[r], g[r]);
                sum = F::vector(z[r]).mul_add(old[r], sum);
            }
            to.put(t, 1, sum, self.begin == 0);
            gradient.copy_from_slice(&g);
        }
        adjoint.copy_from_slice(&a);
    }
}

impl<V: Lanes> ColumnMut<'_, V> {
    #[inline(always)]
    fn put(&mut self, t: usize, q: usize, sum: V, first: bool) {
        let to = &mut self.rows[t * self.stride + self.first + (q - 1) * self.width];
        *to = if first { sum } else { *to + sum };
    }
}

/// The adjoint of the last level: towards the increments, and to `back` (rows, their stride and where they begin)
/// towards the level below. `top` is `dim` vectors a word.
#[inline(always)]
pub fn pull_back_top<V: Lanes, F: Spread<V>>(
    steps: usize,
    letters: Letters<'_, F::Item>,
    words: Column<'_, V>,
    top: &[V],
    gradient: &mut [V],
    back: (&mut [V], usize, usize),
) {
    let (rows, stride, first) = back;
    V::call(ToLetters {
        steps,
        words,
        top,
        dim: letters.dim,
        gradient,
    });
    V::call(ToWords::<V, F> {
        steps,
        letters,
        top,
        rows,
        stride,
        first,
    });
}

/// `gradient[t][a] += Σ_w top[w][a] · words[t][w]`.
pub struct ToLetters<'a, 's, V> {
    pub steps: usize,
    pub words: Column<'a, V>,
    pub top: &'a [V],
    pub dim: usize,
    pub gradient: &'s mut [V],
}

impl<V: Lanes> Part<V> for ToLetters<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let most = if V::REGISTERS < 32 { 2 } else { 5 };
        for (a, letters) in blocks(self.dim, most) {
            let product = Products {
                words: self.words,
                count: self.top.len() / self.dim,
                top: self.top,
                dim: self.dim,
                a,
            };
            match letters {
                1 => product.over::<1>(self.steps, self.gradient),
                2 => product.over::<2>(self.steps, self.gradient),
                3 if V::REGISTERS >= 32 => product.over::<3>(self.steps, self.gradient),
                4 if V::REGISTERS >= 32 => product.over::<4>(self.steps, self.gradient),
                5 if V::REGISTERS >= 32 => product.over::<5>(self.steps, self.gradient),
                _ => unreachable!("a block of {letters} letters"),
            }
        }
    }
}

struct Products<'a, V> {
    words: Column<'a, V>,
    count: usize,
    top: &'a [V],
    dim: usize,
    a: usize,
}

impl<V: Lanes> Products<'_, V> {
    #[inline(always)]
    fn over<const A: usize>(&self, steps: usize, gradient: &mut [V]) {
        let whole = steps / 4 * 4;
        for t in (0..whole).step_by(4) {
            self.at::<A, 4>(t, gradient);
        }
        for t in whole..steps {
            self.at::<A, 1>(t, gradient);
        }
    }

    #[inline(always)]
    fn at<const A: usize, const T: usize>(&self, t: usize, gradient: &mut [V]) {
        let mut acc = [[V::zero(); A]; T];
        let at = |s: usize| (t + s) * self.dim + self.a;
        for s in 0..T {
            acc[s].copy_from_slice(&gradient[at(s)..][..A]);
        }
        let mut words: [_; T] = std::array::from_fn(|s| {
            let begin = (t + s) * self.words.stride + self.words.first;
            self.words.rows[begin..][..self.count].iter()
        });
        for top in self.top.chunks_exact(self.dim) {
            let top = &top[self.a..][..A];
            for s in 0..T {
                let Some(&word) = words[s].next() else { return };
                for a in 0..A {
                    acc[s][a] = word.mul_add(top[a], acc[s][a]);
                }
            }
        }
        for s in 0..T {
            gradient[at(s)..][..A].copy_from_slice(&acc[s]);
        }
    }
}

/// `to[t][w] = Σ_a z_a(t) · top[w][a]`.
struct ToWords<'a, 's, V: Lanes, F: Spread<V>> {
    steps: usize,
    letters: Letters<'a, F::Item>,
    top: &'a [V],
    rows: &'s mut [V],
    stride: usize,
    first: usize,
}

impl<V: Lanes, F: Spread<V>> Part<V> for ToWords<'_, '_, V, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let dim = self.letters.dim;
        let (most_letters, most_words) = crown_block::<V>(dim);
        for (w, width) in blocks(self.top.len() / dim, most_words) {
            for (a, letters) in blocks(dim, most_letters) {
                let block = Spreading {
                    steps: self.steps,
                    letters: self.letters,
                    top: self.top,
                    stride: self.stride,
                    first: self.first,
                    w,
                    a,
                };
                match letters {
                    1 => block.over::<F, 1>(width, self.rows),
                    2 => block.over::<F, 2>(width, self.rows),
                    3 => block.over::<F, 3>(width, self.rows),
                    4 => block.over::<F, 4>(width, self.rows),
                    5 if V::REGISTERS >= 32 => block.over::<F, 5>(width, self.rows),
                    6 if V::REGISTERS >= 32 => block.over::<F, 6>(width, self.rows),
                    7 if V::REGISTERS >= 32 => block.over::<F, 7>(width, self.rows),
                    8 if V::REGISTERS >= 32 => block.over::<F, 8>(width, self.rows),
                    _ => unreachable!("a block of {letters} letters"),
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Spreading<'a, V, Z> {
    steps: usize,
    letters: Letters<'a, Z>,
    top: &'a [V],
    stride: usize,
    first: usize,
    w: usize,
    a: usize,
}

impl<V: Lanes, Z: Copy> Spreading<'_, V, Z> {
    #[inline(always)]
    fn over<F: Spread<V, Item = Z>, const A: usize>(self, width: usize, rows: &mut [V]) {
        match width {
            1 => self.spread::<F, A, 1>(rows),
            2 => self.spread::<F, A, 2>(rows),
            3 if A < 4 || V::REGISTERS >= 32 => self.spread::<F, A, 3>(rows),
            4 if A < 7 && V::REGISTERS >= 32 => self.spread::<F, A, 4>(rows),
            _ => unreachable!("a block of {width} words"),
        }
    }

    #[inline(always)]
    fn spread<F: Spread<V, Item = Z>, const A: usize, const R: usize>(self, rows: &mut [V]) {
        let d = self.letters.dim;
        let mut top = [[V::zero(); A]; R];
        for r in 0..R {
            top[r].copy_from_slice(&self.top[(self.w + r) * d + self.a..][..A]);
        }
        let z = self.letters.over(1)[..self.steps * d].chunks_exact(d);
        for (t, z) in z.enumerate() {
            let z = &z[self.a..][..A];
            let to = &mut rows[t * self.stride + self.first + self.w..][..R];
            let mut sums = [V::zero(); R];
            if self.a > 0 {
                sums.copy_from_slice(to);
            }
            for a in 0..A {
                let z = F::vector(z[a]);
                for r in 0..R {
                    sums[r] = z.mul_add(top[r][a], sums[r]);
                }
            }
            to.copy_from_slice(&sums);
        }
    }
}
