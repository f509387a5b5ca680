//! The last two levels over a word, cut into blocks of words and first letters whose sums fit the registers.

use super::letters::blocks;
use crate::simd::Lanes;

/// First letters and words (second letters) of a block: accumulators that fit the registers.
#[inline(always)]
pub fn block_size<V: Lanes>(dim: usize) -> (usize, usize) {
    if V::REGISTERS < 32 {
        return match dim {
            1..=3 => (dim, dim),
            _ => (4, 2),
        };
    }
    match dim {
        1..=4 => (dim, dim),
        _ if dim.div_ceil(dim.div_ceil(8)) == 8 => (8, 2),
        _ => (8, 3),
    }
}

/// The words of a node and their first letters, cut into blocks.
pub struct Blocks {
    dim: usize,
    /// See `Top::least`.
    least: Option<usize>,
    next: usize,
}

/// Words `word..word + words`, for the first letters from `letter` on, in blocks of at most `most`.
#[derive(Clone, Copy)]
pub struct Block {
    pub word: usize,
    pub words: usize,
    pub letter: usize,
    pub most: usize,
}

impl Block {
    /// How many letters its first block has.
    #[inline(always)]
    pub fn first_letters(&self, dim: usize) -> usize {
        blocks(dim - self.letter, self.most)
            .next()
            .map_or(0, |(_, count)| count)
    }
}

impl Blocks {
    #[inline(always)]
    pub fn new(dim: usize, least: Option<usize>) -> Self {
        Blocks { dim, least, next: 0 }
    }

    #[inline(always)]
    pub fn next<V: Lanes>(&mut self) -> Option<Block> {
        let (d, word) = (self.dim, self.next);
        if word == d {
            return None;
        }
        let (letter, end, (most, words)) = match self.least {
            None => (0, d, block_size::<V>(d)),
            Some(least) => {
                let letter = least.max(word);
                let (most, words) = few_letters::<V>(d - letter);
                // All words up to the least letter go with the same letters; of those after it each goes with fewer.
                if word <= least {
                    (letter, least + 1, (most, words))
                } else {
                    (letter, d, (most, words.min(2)))
                }
            }
        };
        let rest = end - word;
        let words = rest.div_ceil(rest.div_ceil(words));
        self.next += words;
        Some(Block {
            word,
            words,
            letter,
            most,
        })
    }
}

/// Sizes of blocks where there may be few letters and always enough words.
#[inline(always)]
fn few_letters<V: Lanes>(letters: usize) -> (usize, usize) {
    match (letters, V::REGISTERS < 32) {
        (1..=3, true) => (3, 3),
        (1..=4, false) => (4, 4),
        _ => block_size::<V>(letters),
    }
}

/// Whether blocks of this size occur: first letters, words.
#[inline(always)]
pub const fn occurs<V: Lanes>(letters: usize, words: usize) -> bool {
    if V::REGISTERS < 32 {
        letters <= 4 && words <= 2 || letters <= 3 && words == 3
    } else {
        words <= 3 && letters < 8 || words <= 2 || letters <= 4 && words == 4
    }
}
