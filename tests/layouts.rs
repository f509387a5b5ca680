//! Ragged, strided, packed and broadcast batches: the same bits as separate calls on copies. Whatever lies outside a
//! path is NaN here, so that reading it shows; gradients lie where they should and leave everything else alone.

mod common;

use common::*;
use goursat::Precision;
use goursat::error::Error;
use goursat::kernel::{self, Options};
use goursat::path::{
    Batch, Gradient, Layout, LeadLag, Transform, lead_lag_batch, lead_lag_batch_adjoint, time_augment_batch,
    time_augment_batch_adjoint,
};
use goursat::signature;

/// A buffer and how paths lie in it.
#[derive(Clone)]
struct Room<S> {
    what: String,
    values: Vec<S>,
    shape: [usize; 3],
    lengths: Option<Vec<i64>>,
    starts: Option<Vec<i64>>,
    strides: Option<[i64; 3]>,
}

impl<S: Precision> Room<S> {
    fn view(&self) -> Batch<'_, S> {
        let layout = Layout {
            lengths: self.lengths.as_deref(),
            starts: self.starts.as_deref(),
            strides: self.strides,
        };
        Batch::new("path", &self.values, self.shape, layout).unwrap()
    }
}

/// Where element (path, point, channel) of a strided batch is.
fn place(at: [usize; 3], start: i64, strides: [i64; 3]) -> usize {
    let offset: i64 = at.iter().zip(strides).map(|(&at, stride)| at as i64 * stride).sum();
    (start + offset) as usize
}

/// The paths in every layout.
fn rooms<S: Precision>(paths: &[Vec<S>], length: usize, dim: usize) -> Vec<Room<S>> {
    let shape = [paths.len(), length, dim];
    let lengths: Vec<i64> = paths.iter().map(|path| (path.len() / dim) as i64).collect();
    let fill = |values: &mut Vec<S>, start: &dyn Fn(usize) -> i64, strides: [i64; 3]| {
        for (b, path) in paths.iter().enumerate() {
            for (e, &value) in path.iter().enumerate() {
                values[place([0, e / dim, e % dim], start(b), strides)] = value;
            }
        }
    };
    let mut rooms = Vec::new();
    let mut add = |what: String, values, starts, strides| {
        rooms.push(Room {
            what,
            values,
            shape,
            lengths: Some(lengths.clone()),
            starts,
            strides,
        });
    };
    let room = |count: usize| vec![S::NAN; count];

    let dense = [(length * dim) as i64, dim as i64, 1];
    let mut values = room(paths.len() * length * dim);
    fill(&mut values, &|b| b as i64 * dense[0], dense);
    add("ragged".into(), values, None, None);

    // Every order of the axes, with a gap after each element.
    for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut strides = [0i64; 3];
        let mut stride = 2;
        for &axis in axes.iter().rev() {
            strides[axis] = stride;
            stride *= shape[axis] as i64 + 1;
        }
        let mut values = room(stride as usize);
        fill(&mut values, &|b| b as i64 * strides[0], strides);
        add(format!("strides {strides:?}"), values, None, Some(strides));
    }

    // Packed one after the other, the last first, a gap between.
    let mut starts = vec![0i64; paths.len()];
    let mut values = Vec::new();
    for b in (0..paths.len()).rev() {
        values.extend(room(1 + b % 3));
        starts[b] = values.len() as i64;
        values.extend(&paths[b]);
    }
    values.extend(room(2));
    add("packed".into(), values, Some(starts), None);

    // Starts and strides at once: backwards in time, channels backwards with a gap.
    let strides = [0, -(2 * dim as i64 + 1), -2];
    let each = (2 * dim + 1) as i64 * length as i64;
    let starts: Vec<i64> = (0..paths.len() as i64).map(|b| (b + 1) * each).collect();
    let mut values = room(paths.len() * each as usize + 1);
    fill(&mut values, &|b| starts[b], strides);
    add("backwards".into(), values, Some(starts), Some(strides));
    rooms
}

fn walks_of<S: Precision>(batch: usize, length: usize, dim: usize, seed: u64) -> Vec<Vec<S>> {
    let (values, each) = (walks::<S>(batch, length, dim, seed), lengths(batch, length));
    copies(&ragged(&values, [batch, length, dim], Some(&each)))
}

fn options() -> [Options; 4] {
    let option = |orders, lead_lag, time| Options {
        orders,
        transform: Transform { time, lead_lag },
    };
    [
        option((0, 0), LeadLag::Off, None),
        option((2, 1), LeadLag::Off, Some(1.0)),
        option((0, 0), LeadLag::LeadFirst, Some(2.0)),
        option((3, 0), LeadLag::LagFirst, None),
    ]
}

fn pairs<S: Precision>() {
    let (batch, m, n, dim) = (11, 19, 13, 3);
    let (xs, ys) = (walks_of::<S>(batch, m, dim, 41), walks_of::<S>(batch, n, dim, 42));
    let (x_rooms, y_rooms) = (rooms(&xs, m, dim), rooms(&ys, n, dim));
    let ids: Vec<usize> = (0..batch).collect();
    for options in options() {
        let separate: Vec<Vec<u64>> = ids
            .iter()
            .map(|&b| {
                let x = Batch::dense(&xs[b], 1, xs[b].len() / dim, dim).unwrap();
                let y = Batch::dense(&ys[b], 1, ys[b].len() / dim, dim).unwrap();
                of_pairs(&x, &y, &[b], &options, 1).remove(0)
            })
            .collect();
        for (r, x) in x_rooms.iter().enumerate() {
            for y in [&y_rooms[r], &y_rooms[(r + 3) % y_rooms.len()]] {
                let found = of_pairs(&x.view(), &y.view(), &ids, &options, 1 + r % 2);
                assert!(found == separate, "x {}, y {}, {options:?}", x.what, y.what);
            }
        }
    }
}

#[test]
fn pairs_of_paths() {
    pairs::<f64>();
    pairs::<f32>();
}

fn all_pairs<S: Precision>() {
    let (batch, n_batch, m, n, dim) = (18, 9, 11, 8, 2);
    let (xs, ys) = (walks_of::<S>(batch, m, dim, 43), walks_of::<S>(n_batch, n, dim, 44));
    let (x_rooms, y_rooms) = (rooms(&xs, m, dim), rooms(&ys, n, dim));
    let grad = numbers::<S>(batch * n_batch, 45);
    let square = numbers::<S>(batch * batch, 46);
    for options in options() {
        let all = |x: &Room<S>, y: &Room<S>| {
            let (x, y) = (x.view(), y.view());
            let (gx, gy) = gram_gradients(&grad, &x, Some(&y), &options, 2);
            let mut all = bits(&gram(&x, Some(&y), &options, 2));
            all.extend(bits(&pieces(&gx, &x).concat()));
            all.extend(bits(&pieces(&gy, &y).concat()));
            if options.orders.0 == options.orders.1 {
                all.extend(bits(&gram(&x, None, &options, 2)));
                let total = gram_gradients(&square, &x, None, &options, 2).0;
                all.extend(bits(&pieces(&total, &x).concat()));
            }
            all
        };
        let expected = all(&x_rooms[0], &y_rooms[0]);
        // The entries are those of copies; their gradients are sums, and held to the reference in `gram.rs`.
        for (i, x) in xs.iter().enumerate() {
            for (j, y) in ys.iter().enumerate() {
                let x = Batch::dense(x, 1, x.len() / dim, dim).unwrap();
                let y = Batch::dense(y, 1, y.len() / dim, dim).unwrap();
                assert_eq!(bits(&kernels(&x, &y, &options, 1))[0], expected[i * n_batch + j]);
            }
        }
        for (r, x) in x_rooms.iter().enumerate() {
            let y = &y_rooms[(r + 5) % y_rooms.len()];
            assert!(all(x, y) == expected, "x {}, y {}, {options:?}", x.what, y.what);
        }
    }
}

#[test]
fn all_pairs_of_paths() {
    all_pairs::<f64>();
    all_pairs::<f32>();
}

fn signatures_of<S: Precision>() {
    let (batch, length, dim) = (19, 21, 3);
    let paths = walks_of::<S>(batch, length, dim, 47);
    let ids: Vec<usize> = (0..batch).collect();
    for transform in transforms() {
        let options = signature::Options {
            degree: 3,
            scalar_term: true,
            direct: false,
            transform,
        };
        let separate: Vec<Vec<u64>> = ids
            .iter()
            .map(|&b| {
                let path = Batch::dense(&paths[b], 1, paths[b].len() / dim, dim).unwrap();
                of_paths(&path, &[b], &options, 1).remove(0)
            })
            .collect();
        for (r, room) in rooms(&paths, length, dim).iter().enumerate() {
            let found = of_paths(&room.view(), &ids, &options, 1 + r % 2);
            assert!(found == separate, "{}, {transform:?}", room.what);
        }
    }
}

#[test]
fn signatures_of_paths() {
    signatures_of::<f64>();
    signatures_of::<f32>();
}

fn transforms_of<S: Precision>() {
    let (batch, length, dim) = (7, 9, 3);
    let paths = walks_of::<S>(batch, length, dim, 48);
    for room in rooms(&paths, length, dim) {
        let view = room.view();
        for timed in [true, false] {
            let (points, width) = if timed {
                (length, dim + 1)
            } else {
                (2 * length - 1, 2 * dim)
            };
            let mut out = vec![S::NAN; batch * points * width];
            let mut grad = vec![S::NAN; out.len()];
            let apply = if timed {
                oracle(&Transform {
                    time: Some(2.0),
                    lead_lag: LeadLag::Off,
                })
            } else {
                oracle(&Transform {
                    time: None,
                    lead_lag: LeadLag::LeadFirst,
                })
            };
            for (b, path) in paths.iter().enumerate() {
                let own = apply.apply(&widen(path), dim).len();
                grad[b * points * width..][..own].copy_from_slice(&numbers::<S>(own, b as u64));
            }
            let mut back = common::room(&view);
            let gradient = Gradient::new("path_grad", &mut back, &view).unwrap();
            if timed {
                time_augment_batch(&view, 2.0, &mut out, &mut on(2)).unwrap();
                time_augment_batch_adjoint(&grad, &view, gradient, &mut on(2)).unwrap();
            } else {
                lead_lag_batch(&view, false, &mut out, &mut on(2)).unwrap();
                lead_lag_batch_adjoint(&grad, &view, false, gradient, &mut on(2)).unwrap();
            }
            let back = pieces(&back, &view);
            for (b, path) in paths.iter().enumerate() {
                let expected = apply.apply(&widen(path), dim);
                let (inside, beyond) = out[b * points * width..][..points * width].split_at(expected.len());
                // Values are moved; only times are computed, with one rounding in f32 and two in f64.
                assert_close(inside, &expected, 1e-7, &room.what);
                assert!(
                    beyond.iter().all(|v| *v == S::ZERO),
                    "{}: zero beyond the end",
                    room.what
                );
                let own = widen(&grad[b * points * width..][..expected.len()]);
                // Sums of at most four numbers of order 1.
                assert_close(&back[b], &apply.backprop(&own, dim), 3e-7, &room.what);
            }
        }
    }
}

#[test]
fn transforms_of_paths() {
    transforms_of::<f64>();
    transforms_of::<f32>();
}

/// Stride 0: one path for all pairs, one point for all times, one number for all channels.
fn broadcast<S: Precision>() {
    let (batch, length, dim) = (9, 7, 2);
    let ys = walks_of::<S>(batch, length, dim, 49);
    let y_room = &rooms(&ys, length, dim)[0];
    let ids: Vec<usize> = (0..batch).collect();
    let source = numbers::<S>(batch * length * dim, 50);
    for strides in [[0, 2, 1], [14, 0, 1], [7, 1, 0], [0, 0, 1], [0, 0, 0]] {
        let x = Room {
            what: format!("strides {strides:?}"),
            values: source.clone(),
            shape: [batch, length, dim],
            lengths: None,
            starts: None,
            strides: Some(strides),
        };
        let dense: Vec<S> = copies(&x.view()).concat();
        for e in 0..dense.len() {
            let at = [e / (length * dim), e / dim % length, e % dim];
            assert_eq!(dense[e], source[place(at, 0, strides)]);
        }
        let dense = ragged(&dense, [batch, length, dim], None);
        for options in options() {
            let found = of_pairs(&x.view(), &y_room.view(), &ids, &options, 2);
            let expected = of_pairs(&dense, &y_room.view(), &ids, &options, 1);
            assert!(found == expected, "{}, {options:?}", x.what);
            let (found, expected) = (
                gram(&x.view(), Some(&y_room.view()), &options, 1),
                gram(&dense, Some(&y_room.view()), &options, 1),
            );
            assert_eq!(bits(&found), bits(&expected), "{}, {options:?}", x.what);
            let options = signature::Options {
                degree: 3,
                scalar_term: false,
                direct: false,
                transform: options.transform,
            };
            let found = of_paths(&x.view(), &ids, &options, 2);
            assert!(found == of_paths(&dense, &ids, &options, 1), "{}, {options:?}", x.what);
        }
    }
}

#[test]
fn stride_zero() {
    broadcast::<f64>();
    broadcast::<f32>();
}

/// Paths may share elements where they are read, but not where a gradient is written: that is refused.
#[test]
fn windows_overlap_in_values_alone() {
    let (batch, length, dim) = (6, 5, 2);
    let series = walks::<f64>(1, batch + length - 1, dim, 51);
    let starts: Vec<i64> = (0..batch as i64).map(|b| b * dim as i64).collect();
    let layout = Layout {
        starts: Some(&starts),
        ..Layout::default()
    };
    let windows = Batch::new("x", &series, [batch, length, dim], layout).unwrap();
    let dense: Vec<f64> = copies(&windows).concat();
    let dense = ragged(&dense, [batch, length, dim], None);
    let options = Options::default();
    assert_eq!(gram(&windows, None, &options, 1), gram(&dense, None, &options, 1));
    // Strides say the same and have a dense gradient, one for each window.
    let layout = Layout {
        strides: Some([dim as i64, dim as i64, 1]),
        ..Layout::default()
    };
    let strided = Batch::new("x", &series, [batch, length, dim], layout).unwrap();
    let grad = numbers::<f64>(batch * batch, 52);
    assert_eq!(
        gram_gradients(&grad, &strided, None, &options, 1).0,
        gram_gradients(&grad, &dense, None, &options, 1).0
    );
    let mut out = vec![UNTOUCHED; batch * length * dim];
    let Err(error) = Gradient::new("x_grad", &mut out, &windows) else {
        panic!("windows overlap");
    };
    assert!(matches!(error, Error::Argument(_)) && error.to_string().contains("overlaps"));
}

/// Too little room is refused before anything is written.
#[test]
fn rooms_that_are_too_small_are_refused() {
    let values = walks::<f64>(2, 4, 3, 53);
    let x = ragged(&values, [2, 4, 3], None);
    let mut out = vec![UNTOUCHED; 23];
    assert!(Gradient::new("x_grad", &mut out, &x).is_err());
    let mut short = vec![UNTOUCHED; 1];
    assert!(kernel::kernel(&x, &x, &Options::default(), &mut short, &mut on(1)).is_err());
    assert_eq!((out, short), (vec![UNTOUCHED; 23], vec![UNTOUCHED; 1]));
}
