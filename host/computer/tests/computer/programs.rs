//! Guests of a few instructions.

use riscv::BASE;
use riscv::devices::VIRTIO_BASE;

use crate::asm::*;

/// Where a program is put.
const START: u64 = BASE + (2 << 20);

const A0: u32 = 10;
const A7: u32 = 17;
/// Call numbers of the firmware: the old ones take them from `a7` alone.
const SET_TIMER: i32 = 0;
const PUT_CHARACTER: i32 = 1;
const SHUT_DOWN: i32 = 8;
const TIME: u32 = 0xc01;

pub fn program(write: impl FnOnce(&mut Code)) -> Vec<u8> {
    let mut code = Code::at(START);
    write(&mut code);
    code.bytes
}

fn firmware(code: &mut Code, number: i32) {
    code.words(&[addi(A7, 0, number), ECALL]);
}

pub fn print(code: &mut Code, text: &str) {
    for byte in text.bytes() {
        code.word(addi(A0, 0, byte.into()));
        firmware(code, PUT_CHARACTER);
    }
}

pub fn shut_down(code: &mut Code) {
    firmware(code, SHUT_DOWN);
}

pub fn reboot(code: &mut Code) {
    code.li(A7, 0x5352_5354).words(&[addi(16, 0, 0), addi(A0, 0, 1), ECALL]);
}

/// Traps whose handler cannot be fetched.
pub fn get_stuck(code: &mut Code) {
    code.words(&[csrrw(0, 0x105, 0), EBREAK]);
}

pub fn spin(code: &mut Code) {
    code.word(jal(0, 0));
}

/// Counts down from a number.
pub fn count(code: &mut Code, from: u64) {
    code.li(5, from).words(&[addi(5, 5, -1), b(1, 5, 0, -4)]);
}

/// Sleeps for good: no interrupt is enabled.
pub fn sleep(code: &mut Code) {
    code.words(&[csrrw(0, 0x104, 0), WFI, jal(0, -4)]);
}

/// Sleeps for so many ticks. Interrupts wake the hart, and are not taken.
pub fn sleep_for(code: &mut Code, ticks: u64) {
    code.li(6, ticks).li(7, 1 << 5);
    code.words(&[csrrs(A0, TIME, 0), add(A0, A0, 6)]);
    firmware(code, SET_TIMER);
    code.words(&[csrrs(0, 0x104, 7), WFI]);
}

/// Sends back what comes over port 1, with queues of one entry each.
pub fn echo(code: &mut Code) {
    const RECEIVE: u64 = 4;
    const SEND: u64 = 5;
    const BUFFER: u64 = BASE + 0x8000;
    const SIZE: u64 = 4096;
    let table = |queue: u64| BASE + 0x1000 * queue;
    // Within reach of an instruction's offset.
    let (available, used) = (0x200, 0x400);
    let poke = |code: &mut Code, register: u64, value: u64| {
        code.li(5, VIRTIO_BASE + register).li(6, value).word(sw(6, 5, 0));
    };
    poke(code, 0x070, 3);
    for (page, features) in [(0, 2), (1, 1)] {
        poke(code, 0x024, page);
        poke(code, 0x020, features);
    }
    poke(code, 0x070, 11);
    for (queue, flags) in [(RECEIVE, 2u64), (SEND, 0)] {
        poke(code, 0x030, queue);
        poke(code, 0x038, 1);
        for (register, at) in [(0x080, 0), (0x090, available), (0x0a0, used)] {
            poke(code, register, (table(queue) + at) & 0xffff_ffff);
        }
        poke(code, 0x044, 1);
        code.li(5, table(queue)).li(6, BUFFER).word(sd(6, 5, 0));
        code.li(6, SIZE | flags << 32).word(sd(6, 5, 8));
    }
    poke(code, 0x070, 15);
    // x8 counts; x20 and x21 are the tables; x22 is the register that notifies.
    code.li(20, table(RECEIVE)).li(21, table(SEND)).li(22, VIRTIO_BASE + 0x050);
    code.li(23, 0xffff).word(addi(8, 0, 0));
    let start = code.here();
    let and = |rd, rs1, rs2| r(0x33, 7, 0, rd, rs1, rs2);
    code.words(&[addi(8, 8, 1), and(8, 8, 23)]);
    for (table, queue) in [(20, RECEIVE), (21, SEND)] {
        if queue == SEND {
            // The size of what came.
            code.words(&[lw(5, 20, used as i32 + 8), sw(5, 21, 8)]);
        }
        code.words(&[
            s(0x23, 1, table, 8, available as i32 + 2),
            addi(6, 0, queue as i32),
            sw(6, 22, 0),
            i(0x03, 5, 5, table, used as i32 + 2),
            b(1, 5, 8, -4),
        ]);
    }
    code.word(jal(0, start.wrapping_sub(code.here()) as i32));
}
