//! Instructions that make the machine do much work are paid for out of the same budget.

use super::support::Recorder;
use super::support::asm::*;
use super::virtio::{BUFFERS, Driver, RNG, SHARE, SIZE};
use super::{host, machine};
use riscv::{BASE, Config, Machine, Stop};

#[test]
fn jumping_through_new_pages_costs_more_than_its_instructions() {
    let config = Config { memory: 16 << 20, size: (80, 25), ports: &[], disk: None, shares: &[] };
    let mut machine = Machine::new(&config);
    // 2000 pages, more than the cache of decoded code holds; the last jumps to the first.
    let pages = 2000;
    for page in 0..pages {
        let mut code = Code::at(BASE + page * 4096);
        code.words(&[addi(5, 5, 1), jal(0, 4092)]);
        machine.load(code.base, &code.bytes).unwrap();
    }
    let mut code = Code::at(BASE + pages * 4096);
    code.la(6, BASE).word(jalr(0, 6, 0));
    machine.load(code.base, &code.bytes).unwrap();
    machine.start(BASE, 0);
    let budget = 20_000_000;
    assert_eq!(machine.run(budget, &mut Recorder::default()), Stop::Budget);
    let executed = 2 * machine.cpu.hart.x[5];
    assert!(executed < budget / 100, "{executed} of {budget}");
    assert!(executed > budget / 1000, "{executed} of {budget}: it still makes progress");
    assert!(machine.cpu.hart.steps >= budget);
}

#[test]
fn rings_of_nothing_are_paid_for() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, RNG, 0, 1);
    for index in 0..SIZE {
        let next = if index + 1 < SIZE { 1 } else { 0 };
        driver.describe(0, index, (BASE, 0, 2 | next, index + 1));
    }
    driver.offer(0, 0);
    assert_eq!(driver.used(0), (1, 0));
    let before = driver.used(0).0;
    // Offered, not worked on: the next run does that, and pays before it starts an instruction.
    driver.offer_later(0, 0);
    machine.start(BASE, 0);
    assert_eq!(machine.run(1, &mut host), Stop::Budget);
    assert!(machine.cpu.hart.steps > SIZE, "{} {before}", machine.cpu.hart.steps);
}

#[test]
fn messages_to_a_share_are_paid_for() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, SHARE, 1, 1);
    driver.describe(0, 0, (BUFFERS, 7, 1, 1));
    driver.describe(0, 1, (BUFFERS, 7, 2, 0));
    for _ in 0..SIZE {
        driver.offer_later(0, 0);
    }
    machine.start(BASE, 0);
    assert_eq!(machine.run(1, &mut host), Stop::Budget);
    // A thousand instructions for each, however short it is.
    assert!(machine.cpu.hart.steps > 1_000 * SIZE, "{}", machine.cpu.hart.steps);
}
