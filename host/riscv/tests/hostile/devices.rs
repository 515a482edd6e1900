//! All devices under a driver that does anything in any order: registers, queues that lie anywhere,
//! chains of garbage, resets in the middle, with copies of the machine taken in between.

use super::anything::{DEVICES, Pair, QUEUES, ROUND};
use super::number;
use super::support::Recorder;
use super::virtio::{BLOCK, BUFFERS, CONSOLE, Driver, RNG, SHARE, SIZE};
use riscv::devices::{VIRTIO_BASE, VIRTIO_STRIDE};
use riscv::{BASE, Machine};

/// After a reset every device does what it is for.
fn works_again(machine: &mut Machine) {
    let mut host = Recorder { disk: vec![3; 1 << 20], ..Recorder::default() };
    for device in 0..DEVICES {
        let status = VIRTIO_BASE + VIRTIO_STRIDE * device + 0x070;
        machine.cpu.devices.store(status, 4, 0).unwrap();
    }
    let mut driver = Driver::new(machine, &mut host, RNG, 0, 1);
    driver.fill(0, 0x400, 0);
    driver.fill(0, 0x800, 0);
    driver.describe(0, 0, (BUFFERS, 64, 2, 0));
    driver.offer(0, 0);
    assert_eq!(driver.used(0), (1, 64), "randomness");
    let mut driver = Driver::new(machine, &mut host, BLOCK, 0, 1);
    driver.fill(0, 0x400, 0);
    driver.fill(0, 0x800, 0);
    driver.put(BUFFERS, 8, 0);
    driver.put(BUFFERS + 8, 8, 1);
    driver.describe(0, 0, (BUFFERS, 16, 1, 1));
    driver.describe(0, 1, (BUFFERS + 0x100, 512, 3, 2));
    driver.describe(0, 2, (BUFFERS + 0x400, 1, 2, 0));
    driver.offer(0, 0);
    assert_eq!((driver.used(0), driver.load(BUFFERS + 0x400, 1)), ((1, 513), 0), "the disk");
    let mut driver = Driver::new(machine, &mut host, SHARE, 1, 1);
    driver.fill(0, 0x400, 0);
    driver.fill(0, 0x800, 0);
    driver.describe(0, 0, (BUFFERS, 9, 1, 1));
    driver.describe(0, 1, (BUFFERS + 0x100, 64, 2, 0));
    driver.offer(0, 0);
    assert_eq!(driver.used(0), (1, 9), "the share");
    let mut driver = Driver::new(machine, &mut host, CONSOLE, 3, QUEUES);
    for queue in 0..QUEUES {
        driver.fill(queue, 0x400, 0);
        driver.fill(queue, 0x800, 0);
    }
    driver.put(BUFFERS, 4, 0x2163_6261);
    for (queue, port) in [(1, 0), (5, 1), (7, 2)] {
        driver.describe(queue, 0, (BUFFERS, 4, 0, 0));
        driver.offer(queue, 0);
        assert_eq!(driver.host.text(port), "abc!", "the console");
    }
    assert_eq!(driver.machine.console_input(2, b"in"), 2);
    driver.describe(6, 0, (BUFFERS + 0x100, 8, 2, 0));
    driver.offer(6, 0);
    assert_eq!(driver.used(6), (1, 2), "the console's input");
}

#[test]
fn no_driver_does_harm_and_copies_go_on_alike() {
    let first = number("RISCV_SEED", 4711);
    let (mut calls, mut machines) = (0, 0);
    for round in 0..number("RISCV_ROUNDS", 30) {
        let seed = first + round;
        let mut pair = Pair::new(seed);
        for _ in 0..8 {
            for _ in 0..60 {
                pair.act();
            }
            let mut copy = pair.clone();
            for one in [&mut pair, &mut copy] {
                for _ in 0..30 {
                    one.act();
                }
            }
            assert_eq!(pair.fingerprint(), copy.fingerprint(), "seed {seed}: a copy differs");
            pair.check_guard();
        }
        calls += pair.host.calls;
        works_again(&mut pair.machine);
        machines += 1;
    }
    println!("{calls} calls of the host, {machines} machines that work again");
    assert!(calls > 10 * machines, "the devices had something to do: {calls}");
}

#[test]
fn a_batch_of_the_longest_requests_is_done_in_parts() {
    // Every queue of every device full of the longest chains there can be.
    let mut pair = Pair::new(0);
    let mut host =
        Recorder { disk: vec![0; 1 << 20], answer: Some(vec![1]), ..Recorder::default() };
    for (device, features, queues) in [(CONSOLE, 3, QUEUES), (RNG, 0, 1), (SHARE, 0, 1)] {
        let mut driver = Driver::new(&mut pair.machine, &mut host, device, features, queues);
        for queue in 0..queues {
            // Output, control, messages: three MiB to read, one byte to write; for the rest to write.
            let read = if device == RNG || queue % 2 == 0 && device == CONSOLE { 0 } else { 1 };
            driver.describe(queue, 0, (BASE, 3 << 20, if read == 1 { 1 } else { 2 }, 1));
            driver.describe(queue, 1, (BUFFERS, 1, 2, 0));
            for _ in 0..SIZE {
                driver.offer_later(queue, 0);
            }
        }
    }
    let mut runs = 0;
    while pair.machine.cpu.devices.have_work() {
        let before = pair.machine.cpu.hart.steps;
        pair.machine.run(1, &mut host);
        let ran = pair.machine.cpu.hart.steps - before;
        assert!(ran <= 1 + DEVICES * ROUND, "{ran} steps");
        runs += 1;
        assert!(runs < 1_000, "it never ends");
    }
    // Three ports and a share, eight chains of three MiB each, three of them in eight MiB.
    assert!(runs >= 8, "{runs}");
    for port in 0..3 {
        assert_eq!(host.output[port].len(), 8 * (3 << 20), "port {port}");
    }
}
