//! The floating-point environment of a thread: how it rounds, what it makes of subnormals, which exceptions trap.
//!
//! Rust computes in the default one, and results have the bits that are promised there alone. A caller in another
//! language may have changed its own: interval arithmetic rounds up and down, audio and machine learning flush
//! subnormals to zero, a debugger of numbers traps on NaN. A new thread inherits what its creator has.

use std::cell::Cell;

thread_local! {
    // Constant and without a destructor: neither using it nor ending the thread allocates or frees.
    static CALLERS: Cell<machine::Control> = const { Cell::new(machine::STANDARD) };
}

/// While it lives, the thread computes in the default environment: to nearest, subnormals kept, nothing traps. Dropped,
/// it puts back the caller's, the exception flags included.
pub struct Standard {
    /// What the call around this one keeps in `CALLERS`: a progress callback may call as well.
    outer: machine::Control,
}

impl Standard {
    #[allow(clippy::new_without_default)] // it does something
    pub fn new() -> Self {
        let outer = CALLERS.replace(machine::read());
        machine::write(machine::STANDARD);
        Standard { outer }
    }
}

impl Drop for Standard {
    fn drop(&mut self) {
        machine::write(CALLERS.replace(self.outer));
    }
}

/// The default environment for a thread of our own, for good.
pub fn standard_for_this_thread() {
    machine::write(machine::STANDARD);
}

/// Runs the caller's own code, a callback, in the caller's environment. What it changes there stays changed.
pub fn outside<T>(body: impl FnOnce() -> T) -> T {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            CALLERS.set(machine::read());
            machine::write(machine::STANDARD);
        }
    }
    machine::write(CALLERS.get());
    let _back = Back;
    body()
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use std::arch::asm;

    /// MXCSR. The x87 unit has another such word, and no part in what is computed here.
    pub type Control = u32;

    /// Every exception masked, none raised.
    pub const STANDARD: Control = 0x1F80;

    pub fn read() -> Control {
        let mut control: Control = 0;
        // SAFETY: four bytes are written to a variable that has them. Not `nomem`: loads and stores of numbers, and what
        // is computed between them, stay on their side.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack, preserves_flags)) };
        control
    }

    pub fn write(control: Control) {
        // SAFETY: four bytes are read, either the standard ones or what `read` gave: no bit is set that may not be.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    use std::arch::asm;

    /// FPCR, the modes and traps, and FPSR, the flags.
    pub type Control = (u64, u64);

    pub const STANDARD: Control = (0, 0);

    pub fn read() -> Control {
        let (modes, flags): Control;
        // SAFETY: reading these registers changes nothing.
        unsafe {
            asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) modes, out(reg) flags, options(nostack, preserves_flags))
        };
        (modes, flags)
    }

    pub fn write((modes, flags): Control) {
        // SAFETY: zeros, or what `read` gave. Not `nomem`, as above.
        unsafe {
            asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) modes, in(reg) flags, options(nostack, preserves_flags))
        };
    }
}

/// Elsewhere the environment is the caller's.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    pub type Control = ();
    pub const STANDARD: Control = ();
    pub fn read() -> Control {}
    pub fn write(_: Control) {}
}
