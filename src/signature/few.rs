//! The words of small signatures that did not go along the path: the sums of `shuffle`, written out once for a shape as
//! products of other coefficients.

use super::levels::Levels;
use super::products::try_push;
use super::shuffle::MOST;
use crate::error::Result;
use crate::simd::Lanes;
use std::ops::Range;

/// Those words, given the others of a signature, one signature a lane.
pub struct Products {
    words: Vec<(usize, Range<usize>)>,
    terms: Vec<Term>,
    /// Of the word whose number says whether all are finite.
    mark: usize,
}

/// A coefficient, or 1, times another, to be added or taken away.
struct Term {
    factor: Option<u32>,
    other: u32,
    negative: bool,
}

impl Products {
    /// `place`: where a coefficient lies, by its place in a signature.
    pub fn new(levels: &Levels, place: impl Fn(usize) -> usize) -> Result<Self> {
        let (d, n) = (levels.dim, levels.degree);
        let at = |letters: &[usize]| {
            let word = letters.iter().fold(0, |word, letter| word * d + letter);
            place(levels.begin(letters.len()) + word)
        };
        let mut all = Products {
            words: Vec::new(),
            terms: Vec::new(),
            mark: place(0),
        };
        let mut letters = [0; MOST];
        for word in 0..levels.size(n) {
            let mut rest = word;
            for letter in letters[..n].iter_mut().rev() {
                (*letter, rest) = (rest % d, rest / d);
            }
            let letters = &letters[..n];
            let largest = letters.iter().max().unwrap_or(&0);
            let before = letters.iter().take_while(|letter| *letter < largest).count();
            if before == 0 {
                continue;
            }
            let begin = all.terms.len();
            // S^{uMv} = Σ_k (-1)^{p-k} S^{u_1..u_k} D(u_{k+1}..u_p, v)
            let (u, v) = (&letters[..before], &letters[before + 1..]);
            for k in 0..=before {
                let (prefix, turned) = u.split_at(k);
                let factor = (k > 0).then(|| at(prefix) as u32);
                let count = turned.len() + v.len();
                for places in (0u32..1 << count).filter(|places| places.count_ones() as usize == turned.len()) {
                    let (mut from_u, mut from_v) = (turned.iter().rev(), v.iter());
                    let mut shuffled = [*largest; MOST];
                    for (place, letter) in shuffled[1..=count].iter_mut().enumerate() {
                        let next = if places >> place & 1 == 1 {
                            from_u.next()
                        } else {
                            from_v.next()
                        };
                        *letter = *next.unwrap_or(&0);
                    }
                    let other = at(&shuffled[..=count]) as u32;
                    let negative = turned.len() % 2 == 1;
                    try_push(
                        &mut all.terms,
                        Term {
                            factor,
                            other,
                            negative,
                        },
                    )?;
                }
            }
            let end = all.terms.len();
            try_push(&mut all.words, (at(letters), begin..end))?;
        }
        Ok(all)
    }

    /// Completes signatures; the first number of one is NaN where anything in it is not finite.
    #[inline(always)]
    pub fn add<V: Lanes>(&self, state: &mut [V]) {
        for (place, terms) in &self.words {
            let mut sum = V::zero();
            for term in &self.terms[terms.clone()] {
                let mut factor = term.factor.map_or(V::constant(1.0), |place| state[place as usize]);
                if term.negative {
                    factor = V::zero() - factor;
                }
                sum = factor.mul_add(state[term.other as usize], sum);
            }
            state[*place] = sum;
        }
        let mut check = V::zero();
        for &vector in &*state {
            check = vector.mul_add(V::zero(), check);
        }
        state[self.mark] = state[self.mark] - check;
    }
}
