//! Scratch memory: had fallibly, and in huge pages where it is large.

use crate::error::{Error, Result};

/// A vector of `length` copies of `value`, or [`Error::Memory`] where `vec!` would abort the process.
///
/// Never inlined: the towers of `#[inline(always)]` that call it would each have it many times.
#[inline(never)]
pub(crate) fn try_vec<T: Clone>(length: usize, value: T) -> Result<Vec<T>> {
    let mut vector = try_with_room(length)?;
    prefer_huge_pages(vector.spare_capacity_mut());
    vector.resize(length, value);
    Ok(vector)
}

/// An empty vector with room for `length` items.
pub(crate) fn try_with_room<T>(length: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    vector
        .try_reserve_exact(length)
        .map_err(|_| Error::Memory(length.saturating_mul(size_of::<T>())))?;
    Ok(vector)
}

/// Collects from an iterator that knows its length, with room reserved fallibly.
pub(crate) fn try_collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut vector = try_with_room(items.len())?;
    vector.extend(items);
    Ok(vector)
}

/// Bytes from which memory is asked for in huge pages: a few of them fit.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// Has the kernel map large memory that was not touched yet in megabytes: page by page, that takes up to 15 % of the time
/// of what is computed there (benches/NOTES.md). Where the kernel will not, nothing is lost.
#[cfg(target_os = "linux")]
fn prefer_huge_pages<T>(room: &mut [T]) {
    let bytes = size_of_val(room);
    if bytes < LARGE {
        return;
    }
    let page = 1 << 16; // the largest of any Linux: what is told of must begin and end with a page
    let from = room.as_mut_ptr().cast::<u8>();
    let before = from.align_offset(page).min(bytes);
    let size = (bytes - before) / page * page;
    // SAFETY: within `room`; whatever comes of the advice, its contents stay as they are.
    unsafe { libc::madvise(from.add(before).cast(), size, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages<T>(_: &mut [T]) {}
