//! Memory that ends where a page ends, or begins where one begins, with nothing on the other side.

/// Pages: one that may be used or more, between two that may not.
pub struct Guarded {
    mapped: usize,
    length: usize,
    /// Where the bytes lie.
    pub address: usize,
    pub bytes: usize,
}

const PAGE: usize = 4096;

/// Which page without access the bytes touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edge {
    /// The one before them.
    Begin,
    /// The one after them.
    End,
}

impl Guarded {
    /// The bytes, filled with `filling`, as the whole page is.
    pub fn new(bytes: usize, edge: Edge, filling: u8) -> Guarded {
        let inner = bytes.max(1).next_multiple_of(PAGE);
        let length = inner + 2 * PAGE;
        // SAFETY: new anonymous memory; only its middle is opened.
        let mapped = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let mapped = libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(mapped, libc::MAP_FAILED);
            let middle = mapped.byte_add(PAGE);
            assert_eq!(libc::mprotect(middle, inner, libc::PROT_READ | libc::PROT_WRITE), 0);
            middle.cast::<u8>().write_bytes(filling, inner);
            mapped as usize
        };
        let address = match edge {
            Edge::Begin => mapped + PAGE,
            Edge::End => mapped + PAGE + inner - bytes,
        };
        Guarded {
            mapped,
            length,
            address,
            bytes,
        }
    }

    pub fn slice(&self) -> &[u8] {
        // SAFETY: open, and as long as that.
        unsafe { std::slice::from_raw_parts(self.address as *const u8, self.bytes) }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.bytes);
        // SAFETY: open, as long as that, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.address as *mut u8, self.bytes) }.copy_from_slice(bytes);
    }

    /// From now on writing faults.
    pub fn read_only(&self) {
        let inner = self.length - 2 * PAGE;
        // SAFETY: our own pages.
        let status = unsafe { libc::mprotect((self.mapped + PAGE) as *mut _, inner, libc::PROT_READ) };
        assert_eq!(status, 0);
    }

    /// Whether what shares a page with the bytes is still the filling.
    pub fn surroundings_are(&self, filling: u8) -> bool {
        let (begin, end) = (self.mapped + PAGE, self.mapped + self.length - PAGE);
        // SAFETY: open pages.
        let all = unsafe { std::slice::from_raw_parts(begin as *const u8, end - begin) };
        let (before, after) = (&all[..self.address - begin], &all[self.address - begin + self.bytes..]);
        before.iter().chain(after).all(|byte| *byte == filling)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and nobody's any more.
        unsafe { libc::munmap(self.mapped as *mut _, self.length) };
    }
}
