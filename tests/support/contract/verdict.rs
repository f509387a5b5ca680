//! Whether a call is legal, and if not, everything that is wrong with it.

use super::case::{Case, options_size};
use super::rules::{FLAGS, Gives};
use super::side::{Read, Side};
use goursat::ffi::goursat_status::{self, *};
use goursat::ffi::{
    GOURSAT_CUDA, GOURSAT_CUDA_COPY, GOURSAT_HOST, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM,
    GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG,
};

/// Something wrong: the status, and a word that its sentence has.
#[derive(Clone, Debug)]
pub struct Flaw {
    pub status: goursat_status,
    pub word: String,
}

#[derive(Debug)]
pub enum Verdict {
    /// The library must refuse, for one of these.
    Refused(Vec<Flaw>),
    /// Right by its words, but the memory that it speaks of does not exist: undefined, and not to be called.
    Lie,
    /// The library must do it; so many steps of work, roughly.
    Legal(f64),
    /// Right as far as the host can see, and a matter of a CUDA device: to be called only where there is none.
    Device,
}

/// Memory as a call describes it.
struct Claim {
    name: String,
    address: usize,
    elements: u128,
    width: usize,
    written: bool,
}

/// The judge: collects flaws and claims.
struct Judge<'c> {
    case: &'c Case,
    flaws: Vec<Flaw>,
    claims: Vec<Claim>,
    lie: bool,
    /// Whether a CUDA device is to do it.
    device: bool,
}

const MOST: u128 = isize::MAX as u128;

pub fn verdict(case: &Case) -> Verdict {
    let mut judge = Judge {
        case,
        flaws: Vec::new(),
        claims: Vec::new(),
        lie: false,
        device: false,
    };
    let work = judge.all();
    if judge.lie {
        return Verdict::Lie;
    }
    judge.overlaps();
    if !judge.flaws.is_empty() {
        return Verdict::Refused(judge.flaws);
    }
    if judge.device {
        return Verdict::Device;
    }
    let exists = |claim: &Claim| case.exists(claim.address, claim.elements * claim.width as u128);
    if judge.claims.iter().all(exists) {
        Verdict::Legal(work)
    } else {
        Verdict::Lie
    }
}

impl Judge<'_> {
    fn flaw(&mut self, status: goursat_status, word: impl Into<String>) {
        let word = word.into();
        self.flaws.push(Flaw { status, word });
    }

    fn flaw_if(&mut self, wrong: bool, status: goursat_status, word: &str) {
        if wrong {
            self.flaw(status, word);
        }
    }

    fn all(&mut self) -> f64 {
        let Some(options) = self.options() else {
            return 0.0;
        };
        self.check_options(&options);
        if self.case.function.rules.gives == Gives::Numbers {
            self.numbers(&options);
            return 0.0;
        }
        let symmetric = options.has(GOURSAT_SYMMETRIC) && self.case.function.is_gram();
        let sides = Side::all(self.case, &options, symmetric);
        for side in &sides {
            self.side(side);
        }
        if self.lie {
            return 0.0;
        }
        let count = self.count(&options, &sides);
        for [name, length] in [["grad", "grad_len"], ["out", "out_len"]] {
            if let (Some(pointer), Some(length_given)) = (self.case.word(name), self.case.word(length)) {
                self.exact([name, length], pointer, length_given, count, name == "out");
            }
        }
        self.gradients(&sides, symmetric);
        self.work(&options, &sides)
    }

    /// Reads the options; `None` where nothing more can be known.
    fn options(&mut self) -> Option<Read> {
        let pointer = self.case.word("options").unwrap();
        let mut words = [0; 64];
        if pointer == 0 {
            words[0] = options_size() as u64;
            return Some(Read { words });
        }
        if !pointer.is_multiple_of(8) {
            self.flaw(GOURSAT_MISALIGNED, "options is");
            return None;
        }
        if pointer != self.case.options.as_ptr() as usize {
            self.lie = true;
            return None;
        }
        let given = &self.case.options[..];
        let (size, known) = (given[0], options_size());
        if !(8..=4096).contains(&size) || size % 8 != 0 {
            self.flaw(GOURSAT_INVALID_ARGUMENT, "options.size");
            return None;
        }
        let used = known.min(size as usize) / 8;
        words[..used].copy_from_slice(&given[..used]);
        if given[used..size as usize / 8].iter().any(|word| *word != 0) {
            self.flaw(GOURSAT_UNSUPPORTED, "options.size");
        }
        Some(Read { words })
    }

    fn check_options(&mut self, options: &Read) {
        let rules = self.case.function.rules;
        self.check_memory(options);
        let known = FLAGS.iter().fold(0, |all, (flag, _)| all | flag);
        self.flaw_if(options.get("flags") & !known != 0, GOURSAT_UNSUPPORTED, "options.flags");
        for (flag, name) in FLAGS {
            let wrong = options.has(flag) && rules.flags & flag == 0;
            self.flaw_if(wrong, GOURSAT_INVALID_ARGUMENT, name);
        }
        let alone = options.has(GOURSAT_LAG_FIRST) && !options.has(GOURSAT_LEAD_LAG) && !rules.lead_lag;
        self.flaw_if(alone, GOURSAT_INVALID_ARGUMENT, "GOURSAT_LAG_FIRST");
        let end_time = f64::from_bits(options.get("end_time"));
        self.flaw_if(!end_time.is_finite(), GOURSAT_INVALID_ARGUMENT, "options.end_time");
        self.flaw_if(options.int("threads") < 0, GOURSAT_INVALID_ARGUMENT, "options.threads");
        for name in ["x_order", "y_order"] {
            let wrong = options.get(name) > if rules.orders { 16 } else { 0 };
            self.flaw_if(wrong, GOURSAT_INVALID_ARGUMENT, &format!("options.{name}"));
        }
        let unequal = options.get("x_order") != options.get("y_order");
        let wrong = options.has(GOURSAT_SYMMETRIC) && unequal;
        self.flaw_if(wrong, GOURSAT_INVALID_ARGUMENT, "options.x_order");
    }

    fn check_memory(&mut self, options: &Read) {
        let memory = options.int("memory");
        if !(GOURSAT_HOST..=GOURSAT_CUDA_COPY).contains(&memory) {
            self.flaw(GOURSAT_INVALID_ARGUMENT, "options.memory");
        }
        self.flaw_if(options.int("device") < 0, GOURSAT_INVALID_ARGUMENT, "options.device");
        let (host, not_cuda) = (memory == GOURSAT_HOST, memory != GOURSAT_CUDA);
        let workspace = options.get("workspace") as usize;
        for (name, must_be_0) in [
            ("reserved", true),
            ("device", host),
            ("stream", not_cuda),
            ("workspace", not_cuda),
            ("workspace_size", workspace == 0),
            ("workspace_query", not_cuda),
        ] {
            let wrong = must_be_0 && options.get(name) != 0;
            self.flaw_if(wrong, GOURSAT_INVALID_ARGUMENT, &format!("options.{name}"));
        }
        self.flaw_if(!workspace.is_multiple_of(256), GOURSAT_MISALIGNED, "options.workspace");
        let size = options.get("workspace_size").into();
        self.claim("options.workspace", workspace, size, 1, true);
        let query = options.get("workspace_query") as usize;
        self.claim("options.workspace_query", query, (query != 0).into(), 8, true);
        // Shapes are the same on a device, and nothing is done there.
        self.device = memory != GOURSAT_HOST && self.case.function.rules.gives != Gives::Numbers;
    }

    /// Functions that answer about shapes.
    fn numbers(&mut self, options: &Read) {
        for (name, _) in self.case.function.buffers() {
            let pointer = self.case.word(name).unwrap();
            self.claim(name, pointer, 1, 8, true);
        }
        if let Some(degree) = self.case.word("degree") {
            let dim = self.case.word("dim").unwrap();
            self.coefficients(options, dim, degree);
        } else {
            self.nodes(options, self.case.word("x_length").unwrap(), "x");
            self.nodes(options, self.case.word("y_length").unwrap(), "y");
            let sizes = ["x_length", "y_length"].map(|name| self.case.word(name).unwrap());
            self.grid(options, sizes);
        }
    }

    /// Memory that the call speaks of: is it there for all that can be seen?
    fn claim(&mut self, name: &str, address: usize, elements: u128, width: usize, written: bool) {
        if elements == 0 {
            return;
        }
        if address == 0 {
            return self.flaw(GOURSAT_NULL_POINTER, format!("{name} is NULL"));
        }
        if !address.is_multiple_of(width) {
            return self.flaw(GOURSAT_MISALIGNED, format!("{name} is"));
        }
        let bytes = elements * width as u128;
        if bytes > MOST || address as u128 + bytes > usize::MAX as u128 {
            return self.flaw(GOURSAT_INVALID_ARGUMENT, format!("{name} has"));
        }
        let name = name.to_owned();
        self.claims.push(Claim {
            name,
            address,
            elements,
            width,
            written,
        });
    }

    fn overlaps(&mut self) {
        let mut found = Vec::new();
        for (i, a) in self.claims.iter().enumerate() {
            for b in &self.claims[..i] {
                let end = |c: &Claim| c.address as u128 + c.elements * c.width as u128;
                let meet = (a.address as u128) < end(b) && (b.address as u128) < end(a);
                if meet && (a.written || b.written) {
                    found.push(format!("{} overlaps", a.name));
                    found.push(format!("{} overlaps", b.name));
                }
            }
        }
        for word in found {
            self.flaw(GOURSAT_OVERLAP, word);
        }
    }

    fn side(&mut self, side: &Side) {
        self.flaw_if(
            side.length == 0,
            GOURSAT_INVALID_ARGUMENT,
            &format!("{} is 0", side.length_name),
        );
        self.flaw_if(side.dim == 0, GOURSAT_INVALID_ARGUMENT, "dim is 0");
        let width = self.case.function.width;
        let values = side.values.map_or("path", |(name, _)| name);
        if !countable(&[side.batch, side.length, side.dim], width) {
            return self.flaw(GOURSAT_INVALID_ARGUMENT, format!("{values} has"));
        }
        let mut readable = side.length > 0 && side.dim > 0;
        for (list, what) in [(side.lengths, "lengths"), (side.starts, "starts")] {
            if list != 0 && side.batch > 0 {
                let before = self.flaws.len();
                self.claim(
                    &format!("options.{}_{what}", side.prefix),
                    list,
                    side.batch as u128,
                    8,
                    false,
                );
                readable &= self.flaws.len() == before;
                self.lie |= readable && !self.case.exists(list, 8 * side.batch as u128);
            }
        }
        if let Some((name, address)) = side.values {
            if side.elements() * width as u128 > MOST {
                return self.flaw(GOURSAT_INVALID_ARGUMENT, format!("{name} has"));
            }
            self.claim(name, address, side.elements(), width, false);
        }
        if readable && !self.lie {
            self.bounds(side);
        }
    }

    /// Lengths, starts and strides that stay inside.
    fn bounds(&mut self, side: &Side) {
        let elements = side.elements() as i128;
        for b in side.outermost() {
            let unread = side.values.is_none();
            if unread && side.start(b) < 0 {
                self.flaw(GOURSAT_INVALID_ARGUMENT, format!("options.x_starts[{b}] is"));
            }
            let points = side.points(b);
            if points < 1 || points > side.length as i128 {
                self.flaw(GOURSAT_INVALID_ARGUMENT, format!("{}_lengths[{b}]", side.prefix));
                continue;
            }
            let (low, high) = side.extent(b);
            if low < 0 && !unread || high >= elements {
                self.flaw(GOURSAT_INVALID_ARGUMENT, format!("{}: path {b} ", side.prefix));
            }
        }
    }

    /// Points of a transformed path.
    fn points(&self, options: &Read, points: u128) -> u128 {
        let lead_lag = options.has(GOURSAT_LEAD_LAG) || self.case.function.rules.lead_lag;
        if lead_lag {
            (2 * points).saturating_sub(1)
        } else {
            points
        }
    }

    /// Coefficients of a signature, and whether they can be counted.
    fn coefficients(&mut self, options: &Read, dim: usize, degree: usize) -> Option<u128> {
        self.flaw_if(degree == 0, GOURSAT_INVALID_ARGUMENT, "degree is 0");
        self.flaw_if(dim == 0, GOURSAT_INVALID_ARGUMENT, "dim is 0");
        if degree == 0 || dim == 0 {
            return None;
        }
        let space = dim as u128 * if options.has(GOURSAT_LEAD_LAG) { 2 } else { 1 };
        let letters = space + options.has(GOURSAT_TIME_AUG) as u128;
        let most = isize::MAX as u128 / 16;
        let (mut total, mut size) = (0u128, 1u128);
        if letters == 1 {
            total = degree as u128;
        } else {
            for _ in 0..degree {
                size *= letters;
                total += size;
                if total > most {
                    break;
                }
            }
        }
        if letters > usize::MAX as u128 {
            self.flaw(GOURSAT_INVALID_ARGUMENT, "dim is");
            return None;
        }
        if total > most {
            self.flaw(GOURSAT_INVALID_ARGUMENT, "degree ");
            return None;
        }
        Some(total + options.has(GOURSAT_SCALAR_TERM) as u128)
    }

    fn nodes(&mut self, options: &Read, length: usize, side: &str) -> u128 {
        self.flaw_if(length == 0, GOURSAT_INVALID_ARGUMENT, &format!("{side}_length is 0"));
        let halves = if options.has(GOURSAT_LEAD_LAG) { 2 } else { 1 };
        let order = options.get(&format!("{side}_order")).min(16);
        let nodes = (length as u128).saturating_sub(1) * (halves << order) + 1;
        self.flaw_if(
            nodes > MOST / 64,
            GOURSAT_INVALID_ARGUMENT,
            &format!("{side}_length is"),
        );
        nodes
    }

    /// Rows and columns of the grid of a pair.
    fn grid(&mut self, options: &Read, [x, y]: [usize; 2]) -> Option<[u128; 2]> {
        let before = self.flaws.len();
        let nodes = [self.nodes(options, x, "x"), self.nodes(options, y, "y")];
        if self.flaws.len() > before {
            return None;
        }
        self.flaw_if(
            nodes[0] * nodes[1] > MOST / 8,
            GOURSAT_INVALID_ARGUMENT,
            "the refined grid has",
        );
        Some(nodes)
    }

    /// Numbers of the result.
    fn count(&mut self, options: &Read, sides: &[Side]) -> Option<u128> {
        let x = &sides[0];
        let y = sides.last().unwrap();
        let batch = x.batch as u128;
        let (factors, word): (Vec<u128>, &str) = match self.case.function.rules.gives {
            Gives::Numbers => return None,
            Gives::Signature => {
                let degree = self.case.word("degree").unwrap();
                let each = self.coefficients(options, x.dim, degree)?;
                (vec![batch, each], "the signature has")
            }
            Gives::Corner => {
                self.grid(options, [x.length, y.length])?;
                return Some(batch);
            }
            Gives::Grid => {
                let [rows, columns] = self.grid(options, [x.length, y.length])?;
                (vec![batch, rows, columns], "the grid has")
            }
            Gives::Matrix => {
                self.grid(options, [x.length, y.length])?;
                (vec![batch, y.batch as u128], "the Gram matrix has")
            }
            Gives::TimeAugment => (vec![batch, x.length as u128, x.dim as u128 + 1], "the transform has"),
            Gives::LeadLag => {
                let points = self.points(options, x.length as u128);
                (vec![batch, points, 2 * x.dim as u128], "the transform has")
            }
        };
        let width = self.case.function.width as u128;
        let least = factors
            .iter()
            .fold(1u128, |n, factor| n.saturating_mul(*factor.max(&1)));
        if least > MOST / width {
            self.flaw(GOURSAT_INVALID_ARGUMENT, word);
            return None;
        }
        Some(factors.iter().product())
    }

    /// A buffer whose length must be exact; `None` where the length is not known for another flaw.
    fn exact(
        &mut self,
        [name, length_name]: [&str; 2],
        address: usize,
        length: usize,
        count: Option<u128>,
        written: bool,
    ) {
        if let Some(count) = count {
            self.flaw_if(
                address == 0 && count > 0,
                GOURSAT_NULL_POINTER,
                &format!("{name} is NULL"),
            );
            self.flaw_if(
                length as u128 != count,
                GOURSAT_LENGTH_MISMATCH,
                &format!("{length_name} is"),
            );
        }
        self.claim(name, address, length as u128, self.case.function.width, written);
    }

    fn gradients(&mut self, sides: &[Side], symmetric: bool) {
        let mut wanted = false;
        let mut any = false;
        for (name, length_name, side) in [
            ("path_grad", "path_grad_len", 0),
            ("x_grad", "x_grad_len", 0),
            ("y_grad", "y_grad_len", 1),
        ] {
            let (Some(address), Some(length)) = (self.case.word(name), self.case.word(length_name)) else {
                continue;
            };
            any = true;
            let given = address != 0 || length != 0;
            if name == "y_grad" && symmetric {
                self.flaw_if(given, GOURSAT_INVALID_ARGUMENT, "y_grad is given");
                continue;
            }
            if given || name == "path_grad" {
                wanted = true;
                self.gradient([name, length_name], address, length, &sides[side]);
            }
        }
        // Of an empty batch the gradient is empty, and may be NULL.
        let paths = sides.iter().map(|side| side.batch).min().unwrap_or(0);
        self.flaw_if(any && !wanted && paths > 0, GOURSAT_NULL_POINTER, "x_grad");
    }

    fn gradient(&mut self, names: [&str; 2], address: usize, length: usize, side: &Side) {
        if side.starts == 0 {
            let sizes = [side.batch, side.length, side.dim].map(|n| n as u128);
            let count = sizes.iter().fold(1u128, |n, size| n.saturating_mul(*size));
            return self.exact(names, address, length, Some(count), true);
        }
        let [name, length_name] = names;
        self.flaw_if(
            address == 0 && side.batch > 0,
            GOURSAT_NULL_POINTER,
            &format!("{name} is NULL"),
        );
        self.claim(name, address, length as u128, self.case.function.width, true);
        if !self.case.exists(side.starts, 8 * side.batch as u128) && side.batch > 0 {
            return; // a flaw already
        }
        if side.lengths != 0 && !self.case.exists(side.lengths, 8 * side.batch as u128) && side.batch > 0 {
            return;
        }
        let span = |b: usize| {
            let (start, length) = (side.start(b), side.points(b).saturating_mul(side.dim as i128));
            (start, start.saturating_add(length))
        };
        let mut spans: Vec<(i128, i128)> = (0..side.batch).map(span).collect();
        spans.sort_unstable();
        let overlap = spans.windows(2).any(|pair| pair[1].0 < pair[0].1);
        self.flaw_if(overlap, GOURSAT_INVALID_ARGUMENT, &format!("{name}: "));
        let needed = spans.iter().map(|span| span.1).max().unwrap_or(0);
        let short = (length as i128) < needed;
        self.flaw_if(short, GOURSAT_LENGTH_MISMATCH, &format!("{length_name} is"));
    }

    /// Steps of arithmetic, roughly: what a test is willing to wait for is limited.
    fn work(&self, options: &Read, sides: &[Side]) -> f64 {
        let (x, y) = (&sides[0], sides.last().unwrap());
        let points = |side: &Side| self.points(options, side.length as u128) as f64;
        let cells = |side: &Side, order: &str| points(side) * f64::from(1u32 << options.get(order).min(16));
        let pair = cells(x, "x_order") * cells(y, "y_order") * (1.0 + x.dim as f64);
        let letters = 2.0 * x.dim as f64 + 1.0;
        let lists = x.batch as f64 + y.batch as f64;
        lists
            + match self.case.function.rules.gives {
                Gives::Numbers => 0.0,
                Gives::Signature => {
                    let degree = self.case.word("degree").unwrap() as f64;
                    x.batch as f64 * points(x) * letters.powf(degree.min(64.0)) * degree
                }
                Gives::Corner | Gives::Grid => x.batch as f64 * pair,
                Gives::Matrix => x.batch as f64 * y.batch as f64 * pair,
                Gives::TimeAugment | Gives::LeadLag => x.batch as f64 * points(x) * letters,
            }
    }
}

/// Whether so many numbers can be, not counting factors of 0.
fn countable(factors: &[usize], width: usize) -> bool {
    let product = factors
        .iter()
        .fold(1u128, |n, factor| n.saturating_mul(*factor.max(&1) as u128));
    product <= MOST / width as u128
}

/// What is wrong with how the library answered a call, if anything.
pub fn complaint(case: &Case, verdict: &Verdict, status: i32, sentence: &str) -> Option<String> {
    let told = |text: &str| Some(format!("{text}\n  {}\n  status {status}: {sentence}", case.describe()));
    match verdict {
        Verdict::Lie => told("not to be called"),
        Verdict::Device if (10..=15).contains(&status) => None,
        Verdict::Device => told("expected a status of CUDA"),
        Verdict::Legal(_) if status == 0 => None,
        // What cannot be had is no fault of the library, nor what a callback cancels.
        Verdict::Legal(_) if status == GOURSAT_OUT_OF_MEMORY as i32 || status == GOURSAT_CANCELLED as i32 => None,
        Verdict::Legal(_) => told("a legal call was refused"),
        Verdict::Refused(flaws) => {
            let fits = |flaw: &Flaw| flaw.status as i32 == status && sentence.contains(&flaw.word);
            if !sentence.starts_with(&format!("{}: ", case.function.name)) {
                return told("the sentence does not begin with the function");
            }
            let right = flaws.iter().any(fits);
            if right {
                None
            } else {
                told(&format!("expected one of {flaws:?}"))
            }
        }
    }
}
