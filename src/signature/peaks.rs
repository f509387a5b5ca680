//! Gradients without the words whose second letter is a peak, a < i ≥ the first letter of v. S^a S^{iv} is the sum over
//! the shuffles of the letter a into the word iv (Ree 1958), of which one is a i v:
//!
//! S^{aiv} = S^a S^{iv} - Σ_j S^{i v_1..v_j a v_{j+1}..}, j = 0..N-2.
//!
//! No word on the right has a peak there, as i > a and i ≥ v_1. So what ∂F/∂S has for such a word is handed on to others,
//! once a path, and the path is walked back without a third of the last level. Of the product, S^a is the whole
//! increment x^a: what it gets goes to the ends of the path, when S^{iv} is known.

use super::chen::add_multiple;
use super::levels::{Levels, MAX_DEGREE};
use super::moves::Moves;
use super::top_adjoint::MANY;
use crate::error::Result;
use crate::parallel::Queue;
use crate::simd::{Lanes, Part, Real, Work};

/// Coefficients from which on lanes are suffixes at every level of SIMD: see `over_paths`.
const LARGE: usize = 20_481;

/// Whether it is worth it for a path of `steps` increments, by measurement: where the adjoint of the last level is a
/// product of matrices, and lanes are suffixes. Single precision has no digits to spare.
pub fn worth<S: Real>(levels: &Levels, steps: usize) -> bool {
    let large = levels.dim >= MANY && levels.degree >= 4 && levels.total() >= LARGE;
    large && steps >= 256 && size_of::<S>() == size_of::<f64>()
}

/// Rows of words i v that differ in their last letter only.
struct Rows {
    dim: usize,
    /// Where level N-1 begins.
    below: usize,
    /// The letters of v without its last one.
    letters: [usize; MAX_DEGREE],
    count: usize,
    /// i, and the number of the first word i v of the row.
    peak: usize,
    words: usize,
    /// Where the words begin in the last level that have a = 0 put after so many letters of v, and what a counts there.
    begins: [usize; MAX_DEGREE],
    strides: [usize; MAX_DEGREE],
}

impl Rows {
    /// Words of four letters or more.
    #[inline(always)]
    fn new(levels: &Levels) -> Self {
        let (n, mut strides) = (levels.degree, [0; MAX_DEGREE]);
        for (j, stride) in strides[..n - 1].iter_mut().enumerate() {
            *stride = levels.size(n - 2 - j);
        }
        Rows {
            dim: levels.dim,
            below: levels.begin(n - 1),
            letters: [0; MAX_DEGREE],
            count: n - 3,
            peak: 0,
            words: 0,
            begins: [0; MAX_DEGREE],
            strides,
        }
    }

    /// Goes on to the next row, if there is one: of v, the first letter no larger than i, and then of i.
    #[inline(always)]
    fn next(&mut self) -> bool {
        self.words += self.dim;
        let mut turned = true;
        for (k, letter) in self.letters[..self.count].iter_mut().enumerate().rev() {
            *letter += 1;
            turned = *letter == if k == 0 { self.peak + 1 } else { self.dim };
            if !turned {
                break;
            }
            *letter = 0;
        }
        if turned || self.peak == 0 {
            self.letters.fill(0);
            self.peak += 1;
            self.words = self.peak * self.strides[0];
        }
        self.begins[0] = self.words + self.peak * (self.dim - 1) * self.strides[0];
        for j in 0..self.count {
            self.begins[j + 1] = self.begins[j] + self.letters[j] * (self.strides[j] - self.strides[j + 1]);
        }
        self.peak < self.dim
    }

    /// Where the words a i v of a row lie in the last level.
    #[inline(always)]
    fn of(&self, a: usize) -> std::ops::Range<usize> {
        let begin = a * self.dim * self.strides[0] + self.words;
        begin..begin + self.dim
    }
}

/// A gradient of the signature of a path, (lower levels, last level), to be handed on.
pub struct Given<'a, S> {
    pub increments: Moves<'a, S>,
    pub lower: &'a [S],
    pub top: &'a [S],
    /// What it becomes: all levels.
    pub to: &'a mut [S],
}

/// Hands on what words with a peak have, path after path.
pub struct HandOn<'w, 'q, 'a, S> {
    pub levels: Levels,
    pub queue: &'w Queue<'q, Given<'a, S>>,
}

impl<S: Real> Work<S> for HandOn<'_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        while let Some(given) = self.queue.take() {
            V::call(OfOne(self.levels, given));
            self.queue.advance(0)?;
        }
        Ok(())
    }
}

struct OfOne<'a, S>(Levels, Given<'a, S>);

impl<V: Lanes> Part<V> for OfOne<'_, V::Scalar> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let OfOne(levels, given) = self;
        let (below, last) = given.to.split_at_mut(given.lower.len());
        below.copy_from_slice(given.lower);
        last.copy_from_slice(given.top);
        let (mut rows, d) = (Rows::new(&levels), levels.dim);
        while rows.next() {
            for a in 0..rows.peak {
                let (letter, top) = (given.increments.total(a), &given.top[rows.of(a)]);
                last[rows.of(a)].fill(V::Scalar::ZERO);
                add_multiple::<V>(&mut below[rows.below + rows.words..][..d], letter, top);
                for j in 0..=rows.count {
                    let begin = rows.begins[j] + a * rows.strides[j];
                    add_multiple::<V>(&mut last[begin..][..d], V::Scalar::ZERO - V::Scalar::ONE, top);
                }
                // With a at the end.
                for (words, &top) in last[rows.words * d..].chunks_exact_mut(d).zip(top) {
                    words[a] = words[a] - top;
                }
            }
        }
    }
}

/// What is known of a path when it has been walked back.
pub struct Walked<'a, S> {
    pub increments: Moves<'a, S>,
    pub top: &'a [S],
    /// Level N-1 of its signature.
    pub words: &'a [S],
    pub gradient: &'a mut [S],
}

/// Gives the ends of paths what their whole increments get, path after path.
pub struct ToEnds<'w, 'q, 'a, S> {
    pub levels: Levels,
    pub queue: &'w Queue<'q, Walked<'a, S>>,
}

impl<S: Real> Work<S> for ToEnds<'_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let (d, n) = (self.levels.dim, self.levels.degree);
        let (seconds, thirds) = (self.levels.size(n - 2), self.levels.size(n - 3));
        while let Some(walked) = self.queue.take() {
            let dim = walked.increments.raw_dim();
            let (begin, end) = (0, walked.gradient.len() - dim);
            for a in 0..d - 1 {
                let Some(channel) = walked.increments.channel(a) else {
                    continue;
                };
                let mut sum = S::ZERO;
                for i in a + 1..d {
                    let (words, count) = (i * seconds, (i + 1) * thirds);
                    let given = &walked.top[a * d * seconds + words..][..count];
                    sum = sum + V::call(Dot(given, &walked.words[words..][..count]));
                }
                for (at, sum) in [(begin, S::ZERO - sum), (end, sum)] {
                    walked.gradient[at + channel] = walked.gradient[at + channel] + sum;
                }
            }
            self.queue.advance(0)?;
        }
        Ok(())
    }
}

struct Dot<'a, S>(&'a [S], &'a [S]);

impl<V: Lanes> Part<V> for Dot<'_, V::Scalar> {
    type Output = V::Scalar;

    #[inline(always)]
    fn run(self) -> V::Scalar {
        let mut sums = [V::zero(); 4];
        for (left, right) in self.0.chunks(4 * V::LANES).zip(self.1.chunks(4 * V::LANES)) {
            for (sum, (left, right)) in sums.iter_mut().zip(left.chunks(V::LANES).zip(right.chunks(V::LANES))) {
                *sum = V::load_some(left).mul_add(V::load_some(right), *sum);
            }
        }
        ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum()
    }
}
