//! Where paths are cut in time: at places that depend on the shape alone, so that results have the same bits however
//! many threads work.
//!
//! Pieces are computed from 1 on and joined by Chen's identity. So rounding errors add up over a piece and over the
//! joins, not over a long path, and the pieces of one path can be shared among threads.

/// The cuts of a path of `steps` increments.
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    steps: usize,
    length: usize,
    count: usize,
}

impl Cuts {
    /// Even pieces of at most `most` increments each, an even number: lead-lag moves in pairs.
    pub fn new(steps: usize, most: usize) -> Self {
        if steps <= most {
            let (length, count) = (steps.next_multiple_of(2), (steps > 0) as usize);
            return Cuts { steps, length, count };
        }
        let pieces = steps.div_ceil(most);
        let length = steps.div_ceil(pieces).next_multiple_of(2);
        Cuts {
            steps,
            length,
            count: steps.div_ceil(length),
        }
    }

    /// Pieces of the path; none where it does not move.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The increments of piece `r`, counted from the END of the path.
    pub fn piece(&self, r: usize) -> (usize, usize) {
        let begin = (self.count - 1 - r) * self.length;
        (begin, self.steps.min(begin + self.length))
    }
}
