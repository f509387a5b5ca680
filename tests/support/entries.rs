//! Every exported function, callable with words: one line each. Tests compare the two lists with the header.
#![allow(dead_code)] // each test uses its share

use goursat::ffi;

/// A function called with words, pointers and numbers alike; its result as a word, too.
pub type Entry = fn(&[usize]) -> usize;

macro_rules! entries {
    ($(#[$note:meta])* $list:ident; $($name:ident: $($i:literal)*;)*) => {
        $(#[$note])*
        #[allow(unused_unsafe)] // what takes no pointer is safe to call
        pub const $list: &[(&str, Entry)] = &[
            $((stringify!($name), |_a| unsafe { ffi::$name($(_a[$i] as _),*) as usize }),)*
        ];
    };
}

entries! {
    /// What takes buffers or answers about shapes, and returns a status. `contract/rules.rs` says what each accepts.
    ENTRIES;
    goursat_signature_length: 0 1 2 3;
    goursat_grid_shape: 0 1 2 3 4;
    goursat_signature_f64: 0 1 2 3 4 5 6 7;
    goursat_signature_f32: 0 1 2 3 4 5 6 7;
    goursat_sig_backprop_f64: 0 1 2 3 4 5 6 7 8 9;
    goursat_sig_backprop_f32: 0 1 2 3 4 5 6 7 8 9;
    goursat_sigkernel_f64: 0 1 2 3 4 5 6 7 8;
    goursat_sigkernel_f32: 0 1 2 3 4 5 6 7 8;
    goursat_sigkernel_backprop_f64: 0 1 2 3 4 5 6 7 8 9 10 11 12;
    goursat_sigkernel_backprop_f32: 0 1 2 3 4 5 6 7 8 9 10 11 12;
    goursat_sigkernel_grid_f64: 0 1 2 3 4 5 6 7 8;
    goursat_sigkernel_grid_f32: 0 1 2 3 4 5 6 7 8;
    goursat_sigkernel_grid_backprop_f64: 0 1 2 3 4 5 6 7 8 9 10 11 12;
    goursat_sigkernel_grid_backprop_f32: 0 1 2 3 4 5 6 7 8 9 10 11 12;
    goursat_sigkernel_gram_f64: 0 1 2 3 4 5 6 7 8 9;
    goursat_sigkernel_gram_f32: 0 1 2 3 4 5 6 7 8 9;
    goursat_sigkernel_gram_backprop_f64: 0 1 2 3 4 5 6 7 8 9 10 11 12 13;
    goursat_sigkernel_gram_backprop_f32: 0 1 2 3 4 5 6 7 8 9 10 11 12 13;
    goursat_time_augment_f64: 0 1 2 3 4 5 6;
    goursat_time_augment_f32: 0 1 2 3 4 5 6;
    goursat_time_augment_backprop_f64: 0 1 2 3 4 5 6 7;
    goursat_time_augment_backprop_f32: 0 1 2 3 4 5 6 7;
    goursat_lead_lag_f64: 0 1 2 3 4 5 6;
    goursat_lead_lag_f32: 0 1 2 3 4 5 6;
    goursat_lead_lag_backprop_f64: 0 1 2 3 4 5 6 7;
    goursat_lead_lag_backprop_f32: 0 1 2 3 4 5 6 7;
}

entries! {
    /// What answers about the library itself, without paths or options.
    ANSWERS;
    goursat_version: ;
    goursat_version_number: ;
    goursat_simd_level: ;
    goursat_default_threads: ;
    goursat_status_name: 0;
    goursat_last_error: 0 1;
    // These give a status, and tests/cuda.rs has more of them.
    goursat_cuda_available: ;
    goursat_cuda_device_count: 0;
    goursat_cuda_device: 0 1;
}
