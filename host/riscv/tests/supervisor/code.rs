//! Code that changes: by itself, by the host, under another mapping; and code at page boundaries.

use super::support::asm::*;
use super::*;

/// `li a0, n; ret`
fn returns(n: i32) -> [u32; 2] {
    [addi(10, 0, n), jalr(0, 1, 0)]
}

#[test]
fn a_function_that_is_rewritten_runs_anew() {
    // Calls a function, rewrites its first instruction, fences, calls it again; many times.
    let mut machine = prepared(|code| {
        code.li(5, DATA).li(6, addi(10, 0, 0).into()).li(9, 1 << 20).li(20, 1000);
        // loop: store x6; fence.i; call; sum; x6 += one in the immediate
        code.words(&[sw(6, 5, 0), FENCE_I, jalr(1, 5, 0), add(21, 21, 10), add(6, 6, 9)]);
        code.words(&[addi(20, 20, -1), b(1, 20, 0, -24)]);
    });
    let bytes: Vec<u8> = returns(0).iter().flat_map(|w| w.to_le_bytes()).collect();
    machine.load(DATA, &bytes).unwrap();
    finish(&mut machine);
    assert_eq!(machine.cpu.hart.x[21], (0..1000).sum::<u64>());
}

#[test]
fn a_store_into_the_following_instruction_counts() {
    // The instruction after the fence is the one that is overwritten, in the same page and run.
    let mut machine = prepared(|code| {
        code.li(6, addi(10, 0, 42).into());
        code.la(5, code.here() + 16).words(&[
            sw(6, 5, 0),
            FENCE_I,
            addi(10, 0, 1),
            addi(21, 10, 0),
        ]);
    });
    finish(&mut machine);
    assert_eq!(machine.cpu.hart.x[21], 42);
}

#[test]
fn half_an_instruction_can_be_replaced() {
    // The upper half of `addi x21, x21, 1` becomes that of `addi x21, x21, 2`.
    let mut machine = prepared(|code| {
        code.li(6, u64::from(addi(21, 21, 2) >> 16)).li(20, 2);
        let loop_at = code.here();
        let target = loop_at;
        code.word(addi(21, 21, 1)).la(5, target + 2);
        code.words(&[s(0x23, 1, 5, 6, 0), FENCE_I, addi(20, 20, -1)]);
        let back = loop_at.wrapping_sub(code.here()) as i32;
        code.word(b(1, 20, 0, back));
    });
    finish(&mut machine);
    assert_eq!(machine.cpu.hart.x[21], 3);
}

#[test]
fn what_the_host_loads_replaces_decoded_code() {
    let mut machine = prepared(|code| {
        code.word(0x6f);
    });
    assert_eq!(machine.run(100, &mut Recorder::default()), Stop::Budget);
    let bytes: Vec<u8> = [addi(21, 0, 7), EBREAK].iter().flat_map(|w| w.to_le_bytes()).collect();
    machine.load(PROGRAM, &bytes).unwrap();
    finish(&mut machine);
    assert_eq!(machine.cpu.hart.x[21], 7);
}

#[test]
fn instructions_cross_pages_and_pages_end() {
    // Straight code over three pages, first at an even and then at an odd halfword.
    for start in [DATA, DATA + 2] {
        let mut machine = machine();
        let mut code = Code::at(start);
        for _ in 0..3000 {
            code.word(addi(21, 21, 1));
        }
        switch_off(&mut code);
        machine.load(start, &code.bytes).unwrap();
        machine.start(start, 0);
        finish(&mut machine);
        assert_eq!(machine.cpu.hart.x[21], 3000);
    }
}

#[test]
fn more_code_than_the_cache_holds_still_runs() {
    // 1500 pages, each of which adds one and jumps to the next.
    let pages = 1500;
    let mut machine = machine();
    for page in 0..pages {
        let mut code = Code::at(DATA + page * 4096);
        code.words(&[addi(21, 21, 1), jal(0, 4092)]);
        machine.load(code.base, &code.bytes).unwrap();
    }
    let mut code = Code::at(DATA + pages * 4096);
    code.word(addi(22, 22, 1));
    let to = DATA.wrapping_sub(code.here() + 8) as i64;
    assert!(to < 0);
    // Three rounds.
    code.words(&[addi(23, 0, 3), b(0, 22, 23, 12)]).la(5, DATA).word(jalr(0, 5, 0));
    let mut end = Code::at(code.base + 4 + 4 + 12);
    switch_off(&mut end);
    machine.load(code.base, &code.bytes).unwrap();
    let mut last = Code::at(code.here());
    switch_off(&mut last);
    machine.load(last.base, &last.bytes).unwrap();
    // The branch goes behind the jump.
    let branch = b(0, 22, 23, (last.base - (code.base + 8)) as i32);
    machine.load(code.base + 8, &branch.to_le_bytes()).unwrap();
    machine.start(DATA, 0);
    // Each page that is decoded anew is paid for.
    assert_eq!(machine.run(5_000_000, &mut Recorder::default()), Stop::Shutdown);
    assert_eq!(machine.cpu.hart.x[21], 3 * pages);
}
