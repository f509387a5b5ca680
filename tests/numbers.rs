//! Numbers that are no numbers, too large or nearly nothing: NaN and infinity stay in their path or pair, wherever they
//! are, what overflows says so, and subnormals are numbers like others.

mod common;
#[path = "numbers/given.rs"]
mod given;
#[path = "numbers/helpers.rs"]
mod helpers;
#[path = "numbers/one_point.rs"]
mod one_point;
#[path = "numbers/overflow.rs"]
mod overflow;
#[path = "numbers/poison.rs"]
mod poison;
#[path = "numbers/subnormals.rs"]
mod subnormals;
