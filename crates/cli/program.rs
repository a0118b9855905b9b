//! The program `regprobe`: nothing but the library's `main`, which fuzz targets and tests of whole readers link as well.

use std::process::ExitCode;

fn main() -> ExitCode {
    regprobe::main()
}
