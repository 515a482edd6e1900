//! Guests of a few instructions.

use riscv::BASE;

use crate::asm::*;
use crate::virtio::{self, Device};

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

/// Prints as many bytes as `x6` says from where `x5` points to.
pub fn print_bytes(code: &mut Code) {
    let start = code.here();
    if_other(code, 6, |code| {
        code.word(i(0x03, 4, A0, 5, 0));
        firmware(code, PUT_CHARACTER);
        code.words(&[addi(5, 5, 1), addi(6, 6, -1)]);
        code.word(jal(0, start.wrapping_sub(code.here()) as i32));
    });
}

/// What is done only if a register is zero.
pub fn if_zero(code: &mut Code, register: u32, then: impl FnOnce(&mut Code)) {
    const BNE: u32 = 1;
    skip(code, BNE, register, then);
}

/// What is done only if a register is something else than zero.
fn if_other(code: &mut Code, register: u32, then: impl FnOnce(&mut Code)) {
    const BEQ: u32 = 0;
    skip(code, BEQ, register, then);
}

fn skip(code: &mut Code, branch: u32, register: u32, over: impl FnOnce(&mut Code)) {
    let mut skipped = Code::at(code.here() + 4);
    over(&mut skipped);
    code.word(b(branch, register, 0, 4 + skipped.bytes.len() as i32));
    code.bytes.extend(skipped.bytes);
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
    const MULTIPORT: u64 = 2;
    const BUFFER: u64 = BASE + 0x8000;
    const SIZE: u64 = 4096;
    let table = |queue: u64| BASE + 0x1000 * queue;
    let console = Device::at(0);
    console.negotiate(code, MULTIPORT);
    for (queue, flags) in [(RECEIVE, virtio::WRITE), (SEND, 0)] {
        console.queue(code, queue, 1, table(queue));
        virtio::describe(code, table(queue), BUFFER, SIZE, flags);
    }
    console.drive(code);
    // x8 counts; x20 and x21 are the tables; x22 is the register that notifies.
    code.li(20, table(RECEIVE)).li(21, table(SEND)).li(22, console.register(virtio::NOTIFY));
    code.li(23, 0xffff).word(addi(8, 0, 0));
    let start = code.here();
    let and = |rd, rs1, rs2| r(0x33, 7, 0, rd, rs1, rs2);
    code.words(&[addi(8, 8, 1), and(8, 8, 23)]);
    for (table, queue) in [(20, RECEIVE), (21, SEND)] {
        if queue == SEND {
            // The size of what came.
            code.words(&[lw(5, 20, virtio::USED + 8), sw(5, 21, 8)]);
        }
        code.words(&[
            s(0x23, 1, table, 8, virtio::AVAILABLE + 2),
            addi(6, 0, queue as i32),
            sw(6, 22, 0),
            i(0x03, 5, 5, table, virtio::USED + 2),
            b(1, 5, 8, -4),
        ]);
    }
    code.word(jal(0, start.wrapping_sub(code.here()) as i32));
}
