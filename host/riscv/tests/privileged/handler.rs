//! The trap handler that both sides run: writes all that can be seen of the hart to the log, and goes on
//! where the program wants.
//!
//! It depends on nothing that random code may have changed: `x3` is where to go on, in supervisor mode,
//! `x4` the next entry of the log, and its own addresses are mapped to themselves in every address space.

use super::layout::*;
use super::support::asm::*;

const SSTATUS: u32 = 0x100;
const SIE: u32 = 0x104;
const STVEC: u32 = 0x105;
const SEPC: u32 = 0x141;
const SCAUSE: u32 = 0x142;
const STVAL: u32 = 0x143;
const FCSR: u32 = 3;
const FS: u64 = 3 << 13;
const SPP: u64 = 1 << 8;
/// `srli`, `slli` by 46 keep the offset in an area.
const AREA_SHIFT: i32 = 64 - 18;

/// The first page jumps to the first program; the second has the handler.
pub fn write(first: u64) -> Vec<u8> {
    let mut code = Code::at(START);
    code.li(5, first).word(jalr(0, 5, 0));
    code.bytes.resize((HANDLER - START) as usize, 0);
    // One entry for each cause of a vectored interrupt; exceptions use the first.
    let (entries, common) = (HANDLER + 0x100, HANDLER + 0x200);
    for cause in 0..16 {
        let target = entries + 8 * cause;
        let here = code.here();
        code.word(jal(0, target.wrapping_sub(here) as i32));
    }
    code.bytes.resize((entries - START) as usize, 0);
    for _ in 0..16 {
        code.word(sd(1, 4, 0));
        let here = code.here();
        code.word(jal(1, common.wrapping_sub(here) as i32));
    }
    code.bytes.resize((common - START) as usize, 0);
    log(&mut code);
    go_on(&mut code);
    code.bytes
}

fn log(code: &mut Code) {
    code.word(sd(1, 4, 8 * 3));
    for x in (2..32).filter(|&x| x != 4) {
        code.word(sd(x, 4, 8 * (x as i32 - 1)));
    }
    for (n, (_, csr)) in CSRS.iter().enumerate() {
        code.words(&[csrrs(1, *csr, 0), sd(1, 4, 8 * (31 + n as i32))]);
    }
    let floats = 8 * (31 + CSRS.len() as i32);
    code.li(1, FS).words(&[csrrs(5, SSTATUS, 1), csrrs(1, FCSR, 0), sd(1, 4, floats)]);
    code.words(&[fsd(1, 4, floats + 8), fsd(2, 4, floats + 16), csrrw(0, SSTATUS, 5)]);
}

fn go_on(code: &mut Code) {
    // An interrupt that stays pending would come at once again.
    code.words(&[csrrs(1, SCAUSE, 0), b(5, 1, 0, 8), i(0x73, 5, 0, 0, SIE as i32)]);
    // Values that the table of the test has are made equal, since programs read them.
    code.words(&[addi(5, 0, 3), b(1, 1, 5, 8), csrrw(0, STVAL, 0)]);
    for cause in [5, 7] {
        code.words(&[addi(5, 0, cause), b(1, 1, 5, 8), i(0x73, 7, 0, 7, STVAL as i32)]);
    }
    // Direct mode again.
    code.word(i(0x73, 7, 0, 1, STVEC as i32));
    code.word(addi(4, 4, ENTRY as i32));
    // A full log ends the run.
    code.words(&[i(0x13, 1, 1, 4, AREA_SHIFT), i(0x13, 5, 1, 1, AREA_SHIFT)]);
    code.li(5, AREA - ENTRY);
    let branch_at = code.bytes.len();
    code.word(0);
    code.word(csrrw(0, SEPC, 3)).li(1, SPP).word(csrrs(0, SSTATUS, 1));
    let back = -(ENTRY as i32);
    code.words(&[ld(1, 4, back), ld(5, 4, back + 8 * 4), SRET]);
    let distance = (code.bytes.len() - branch_at) as i32;
    code.bytes[branch_at..branch_at + 4].copy_from_slice(&b(7, 1, 5, distance).to_le_bytes());
    switch_off(code);
}

/// Ends the run: the firmware switches the machine off.
pub fn switch_off(code: &mut Code) {
    code.li(17, 0x5352_5354).words(&[addi(16, 0, 0), addi(10, 0, 0), addi(11, 0, 0), ECALL]);
    code.word(jal(0, 0));
}
