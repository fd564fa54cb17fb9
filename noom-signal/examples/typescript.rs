//! Prints the TypeScript declarations of the wire types.
//!
//! ```sh
//! cargo run --package noom-signal --features ts --example typescript
//! ```

use std::io::Write;

fn main() -> std::io::Result<()> {
    let declarations = noom_signal::protocol::typescript::declarations();
    std::io::stdout().write_all(declarations.as_bytes())
}
