//! Reads LLD's map of a link (`-Map`): addresses and names, also of a binary that has none left.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// One function.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// In the file's own addresses: from where the binary is loaded on.
    pub address: u64,
    pub name: String,
}

/// All functions, by address; of several names of one address the first.
pub fn functions(map: &Path) -> Result<Vec<Function>> {
    let functions = parse(&fs::read_to_string(map)?);
    ensure!(!functions.is_empty(), "it names no functions: is the linker LLD?");
    Ok(functions)
}

/// Columns: address, load address, size, alignment; then by depth an output section, an input section
/// (`file:(section)`), or a symbol. <https://lld.llvm.org/> describes the option; the format is the
/// one of LLD 22.
fn parse(text: &str) -> Vec<Function> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        let number = |field: Option<&str>| u64::from_str_radix(field?, 16).ok();
        let (Some(address), Some(_), Some(size)) =
            (number(fields.next()), number(fields.next()), number(fields.next()))
        else {
            continue;
        };
        let Some(name) = fields.nth(1) else { continue };
        let (input, output) = (name.contains(":("), name.starts_with('.'));
        if output && fields.next().is_none() {
            in_code = name == ".text";
        } else if in_code && !input && !output && size > 0 && name != "=" {
            found.push(Function { address, name: name.to_owned() });
        }
    }
    found.sort_by_key(|function| function.address);
    found.dedup_by_key(|function| function.address);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_the_code_are_found() {
        let text = "\
             VMA              LMA     Size Align Out     In      Symbol
             2a8              2a8       1c     1 .interp
          1c1000           1c1000   5c0000    16 .text
          1c1040           1c1040       26    16         /usr/lib/crt1.o:(.text)
          1c1040           1c1040       26     1                 _start
          1c1066           1c1066        0     1                 label
          1c1070           1c1070       40    16         /t/libstd.rlib(std.o):(.text._ZN3std)
          1c1070           1c1070       40     1                 _ZN3std2rt10lang_start17h0E
          1c1070           1c1070       40     1                 twin
          781000           781000      100    16 .init
          781000           781000       1b     1                 _init
";
        let names: Vec<_> = parse(text).into_iter().map(|f| (f.address, f.name)).collect();
        assert_eq!(
            names,
            [(0x1c_1040, "_start".into()), (0x1c_1070, "_ZN3std2rt10lang_start17h0E".into())]
        );
    }
}
