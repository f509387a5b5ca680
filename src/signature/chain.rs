//! Pieces of a path joined, and what each has before and after it.

use super::chen::{contract, join};
use super::levels::Levels;
use super::shuffle::{Shuffles, Words};
use crate::error::Result;
use crate::parallel::Queue;
use crate::simd::{Lanes, Real, Work};

/// Pieces that are joined one by one; groups of them are joined in turn, so that rounding errors stay small.
pub const GROUP: usize = 32;

/// What is done with the signatures of consecutive pieces of a path, `pieces`: one row each, the LAST piece first.
pub enum Link<'a, S> {
    /// Their product, times what is in `row`, goes to `row`, which has been joined of `done` pieces; where it is that of
    /// a `whole` path, with the words that no piece has.
    Fold {
        pieces: &'a mut [S],
        row: &'a mut [S],
        done: usize,
        whole: bool,
    },
    /// `after[r]` = product of all after piece r and `end`; `lower[r]` = levels 1..N-1 of the adjoint of the product
    /// from piece r on, given that of all, (`start`, `top`).
    Spread {
        pieces: &'a [S],
        end: &'a [S],
        start: &'a [S],
        top: &'a [S],
        after: &'a mut [S],
        lower: &'a mut [S],
    },
}

/// Takes links until there are no more. `levels` are those of the rows; in `Spread` the adjoint has one level more.
pub struct Chain<'w, 'q, 'p, S> {
    pub levels: Levels,
    pub words: Words,
    pub queue: &'w Queue<'q, Link<'p, S>>,
}

impl<S: Real> Work<S> for Chain<'_, '_, '_, S> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Lanes<Scalar = S>>(self) -> Result<()> {
        let (levels, words, total) = (self.levels, self.words, self.levels.total());
        let mut others = Shuffles::<V>::new(&levels, words)?;
        while let Some(link) = self.queue.take() {
            match link {
                Link::Fold {
                    pieces,
                    row,
                    done,
                    whole,
                } => {
                    // The first group is joined in its place.
                    let rest = pieces.len() / total;
                    let (begun, pieces) = pieces.split_at_mut(GROUP.saturating_sub(done).min(rest) * total);
                    for first in begun.chunks_exact(total) {
                        join::<V>(&levels, words, first, row);
                        self.queue.advance(0)?;
                    }
                    for group in pieces.chunks_mut(GROUP * total) {
                        let (product, rest) = group.split_at_mut(total);
                        for first in rest.chunks_exact(total) {
                            join::<V>(&levels, words, first, product);
                            self.queue.advance(0)?;
                        }
                        join::<V>(&levels, words, product, row);
                    }
                    if whole {
                        others.add(row)?;
                    }
                }
                Link::Spread {
                    pieces,
                    end,
                    start,
                    top,
                    after,
                    lower,
                } => {
                    let above = Levels::new(levels.dim, levels.degree + 1)?;
                    after[..total].copy_from_slice(end);
                    for (r, piece) in pieces.chunks_exact(total).enumerate().take(pieces.len() / total - 1) {
                        let (known, next) = after[r * total..][..2 * total].split_at_mut(total);
                        next.copy_from_slice(known);
                        join::<V>(&levels, Words::All, piece, next);
                        self.queue.advance(0)?;
                    }
                    let (rest, first) = lower.split_at_mut(lower.len() - total);
                    first.copy_from_slice(start);
                    let mut known: &mut [S] = first;
                    let before = pieces.chunks_exact(total).skip(1);
                    for (next, piece) in rest.chunks_exact_mut(total).zip(before).rev() {
                        next.copy_from_slice(known);
                        contract::<V>(&above, piece, next, top);
                        known = next;
                        self.queue.advance(0)?;
                    }
                }
            }
        }
        Ok(())
    }
}
