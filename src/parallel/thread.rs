//! Threads of the operating system. Those of the standard library allocate before they begin, and end the process
//! where memory is out; these answer that they could not be had.

use super::crew::Board;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts a thread that serves the board; false where it cannot be had.
#[cfg(unix)]
pub(super) fn start(board: &'static Board) -> bool {
    use std::ptr::{from_ref, null_mut};

    extern "C" fn serve(board: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: this thread is there; the name ends with NUL.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::pthread_setname_np(libc::pthread_self(), c"goursat".as_ptr())
        };
        // SAFETY: it was a `&'static Board`.
        unsafe { &*board.cast::<Board>() }.serve()
    }

    let board = from_ref(board).cast_mut().cast();
    let [mut all, mut before] = [no_signals(), no_signals()];
    // SAFETY: every pointer is to a local of its type, which the functions initialise in this order.
    unsafe {
        let mut with = std::mem::zeroed();
        if libc::pthread_attr_init(&mut with) != 0 {
            return false;
        }
        libc::pthread_attr_setdetachstate(&mut with, libc::PTHREAD_CREATE_DETACHED);
        libc::pthread_attr_setstacksize(&mut with, STACK);
        // A thread begins with the mask of who starts it. Signals are for the program's own threads, but for what the
        // processor raises and what profilers ask for.
        libc::sigfillset(&mut all);
        for signal in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGPROF,
        ] {
            libc::sigdelset(&mut all, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before);
        let mut thread = std::mem::zeroed();
        let failed = libc::pthread_create(&mut thread, &with, serve, board);
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, null_mut());
        libc::pthread_attr_destroy(&mut with);
        failed == 0
    }
}

/// Bytes of a thread's stack, as the standard library's: systems have as little as 128 KiB.
#[cfg(unix)]
const STACK: usize = 2 << 20;

#[cfg(unix)]
fn no_signals() -> libc::sigset_t {
    // SAFETY: plain data, and `sigemptyset` initialises it.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    }
}

/// Forks between the first process that used the library and this one, as far as [`count_forks`] was called before.
pub(super) fn forks() -> usize {
    FORKS.load(Ordering::Relaxed)
}

static FORKS: AtomicUsize = AtomicUsize::new(0);

/// From now on, forks are counted in the children. Where the handler cannot be had, they have the process's number.
#[cfg(unix)]
pub(super) fn count_forks() {
    static COUNTED: AtomicBool = AtomicBool::new(false);

    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    if !COUNTED.swap(true, Ordering::Relaxed) {
        // SAFETY: the handler does what a signal handler may.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}

#[cfg(not(unix))]
pub(super) fn start(board: &'static Board) -> bool {
    let thread = std::thread::Builder::new().name("goursat".into());
    thread.spawn(|| board.serve()).is_ok()
}

#[cfg(not(unix))]
pub(super) fn count_forks() {}
