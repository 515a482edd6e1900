//! Virtio devices: what works, what is refused, and rings full of garbage.

use super::support::rng::Rng;
use super::virtio::{BLOCK, BUFFERS, CONSOLE, Driver, RNG, SHARE, SIZE};
use super::{host, machine, number};

const NEXT: u64 = 1;
const WRITE: u64 = 2;
const INDIRECT: u64 = 4;

#[test]
fn features_must_be_known_and_of_version_1() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, BLOCK, 0, 1);
    assert_eq!(driver.get(0x000), 0x7472_6976);
    assert_eq!(driver.get(0x008), 2);
    for (low, high, accepted) in
        [(0, 1, true), (1 << 5, 1, true), (1 << 9, 1, false), (0, 0, false), (0, 3, false)]
    {
        driver.set(0x070, 0);
        for (page, bits) in [(0, low), (1, high)] {
            driver.set(0x024, page);
            driver.set(0x020, bits);
        }
        driver.set(0x070, 11);
        assert_eq!(driver.get(0x070) & 8 != 0, accepted, "{low:#x} {high:#x}");
    }
}

#[test]
fn the_disk_reads_and_refuses() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, BLOCK, 1 << 5, 1);
    assert_eq!(driver.get(0x100), 2048, "sectors");
    // kind, sector, bytes → status, bytes written
    for (kind, sector, size, status, written) in [
        (0, 3, 512, 0, 513),
        (0, 2047, 512, 0, 513),
        (0, 2048, 512, 1, 1),
        (0, 2047, 1024, 1, 1),
        (0, u64::MAX, 512, 1, 1),
        (0, 0, 100, 1, 1),
        (1, 0, 512, 1, 1),
        (4, 0, 512, 0, 1),
        (8, 0, 20, 0, 21),
        (99, 0, 512, 2, 1),
    ] {
        driver.put(BUFFERS, 8, kind);
        driver.put(BUFFERS + 8, 8, sector);
        driver.put(BUFFERS + 0x1000 + size, 1, 0xff);
        driver.describe(0, 0, (BUFFERS, 16, NEXT, 1));
        driver.describe(0, 1, (BUFFERS + 0x1000, size, NEXT | WRITE, 2));
        driver.describe(0, 2, (BUFFERS + 0x1000 + size, 1, WRITE, 0));
        let before = driver.used(0).0;
        driver.offer(0, 0);
        assert_eq!(driver.used(0), (before + 1, written), "{kind} {sector}");
        assert_eq!(driver.load(BUFFERS + 0x1000 + size, 1), status, "{kind} {sector}");
        assert!(!driver.broken());
        if kind == 0 && status == 0 {
            let expected = (sector * 512 + 5) as u8;
            assert_eq!(driver.load(BUFFERS + 0x1005, 1), u64::from(expected));
        }
    }
    assert_eq!(driver.get(0x060), 1, "interrupted");
}

#[test]
fn randomness_comes_from_the_host() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, RNG, 0, 1);
    driver.describe(0, 0, (BUFFERS, 64, WRITE, 0));
    driver.offer(0, 0);
    assert_eq!(driver.used(0), (1, 64));
    assert_eq!(driver.load(BUFFERS + 56, 8), 0x0404_0404_0404_0404);
}

#[test]
fn a_share_carries_messages_and_answers() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, SHARE, 1, 1);
    assert_eq!(driver.get(0x008), 9);
    assert_eq!(driver.get(0x010), 1, "it has a tag");
    assert_eq!(driver.get(0x100), 9 | u64::from(b'w') << 16 | u64::from(b'o') << 24);
    assert_eq!(driver.get(0x108), u64::from(u32::from_le_bytes(*b"ace\0")));
    // In two buffers and out in two.
    driver.put(BUFFERS, 8, u64::from_le_bytes(*b"question"));
    driver.describe(0, 0, (BUFFERS, 3, NEXT, 1));
    driver.describe(0, 1, (BUFFERS + 3, 5, NEXT, 2));
    driver.describe(0, 2, (BUFFERS + 0x100, 4, WRITE | NEXT, 3));
    driver.describe(0, 3, (BUFFERS + 0x200, 100, WRITE, 0));
    driver.offer(0, 0);
    assert_eq!(driver.used(0), (1, 8));
    assert_eq!(driver.load(BUFFERS + 0x100, 4), u64::from(u32::from_le_bytes(*b"ques")));
    assert_eq!(driver.load(BUFFERS + 0x200, 4), u64::from(u32::from_le_bytes(*b"tion")));
    driver.host.answer = Some(vec![1; 104]);
    driver.offer(0, 0);
    assert_eq!((driver.used(0), driver.broken()), ((2, 104), false));
}

#[test]
fn a_share_without_a_whole_answer_is_broken() {
    for (name, answer) in [("too long", vec![1; 105]), ("none", vec![])] {
        let (mut machine, mut host) = (machine(), host());
        host.answer = Some(answer);
        let mut driver = Driver::new(&mut machine, &mut host, SHARE, 1, 1);
        driver.describe(0, 0, (BUFFERS, 8, NEXT, 1));
        driver.describe(0, 1, (BUFFERS + 0x100, 104, WRITE, 0));
        driver.offer(0, 0);
        assert!(driver.broken(), "{name}");
        assert_eq!((driver.used(0).0, driver.load(BUFFERS + 0x100, 4)), (0, 0), "{name}");
        driver.set(0x070, 0);
        assert_eq!(driver.get(0x070), 0, "{name}: a reset repairs it");
    }
}

#[test]
fn the_console_carries_bytes_both_ways_and_its_size() {
    let (mut machine, mut host) = (machine(), host());
    machine.console_resize(100, 30);
    assert_eq!(machine.console_input(0, b"typed"), 5);
    assert_eq!(machine.console_input(7, b"typed"), 0, "no such port");
    let mut driver = Driver::new(&mut machine, &mut host, CONSOLE, 3, 8);
    assert_eq!(driver.get(0x100), 100 | 30 << 16);
    assert_eq!(driver.get(0x104), 3, "ports");
    // The reset of the driver's start dropped what was typed before.
    driver.machine.console_input(0, b"hello");
    for index in 0..4 {
        driver.describe(0, index, (BUFFERS + 0x100 * index, 3, WRITE, 0));
    }
    driver.offer(0, 0);
    driver.offer(0, 1);
    driver.offer(0, 2);
    assert_eq!(driver.used(0), (2, 2), "hel, lo, and one that waits");
    assert_eq!(driver.load(BUFFERS, 3), 0x6c_6568);
    driver.machine.console_input(0, b"!");
    driver.work();
    assert_eq!(driver.used(0), (3, 1));
    // Output, port 0 and port 2.
    driver.put(BUFFERS + 0x800, 8, u64::from_le_bytes(*b"output!!"));
    for (queue, port) in [(1, 0), (7, 2)] {
        driver.describe(queue, 0, (BUFFERS + 0x800, 6, NEXT, 1));
        driver.describe(queue, 1, (BUFFERS + 0x806, 2, 0, 0));
        driver.offer(queue, 0);
        assert_eq!(driver.host.text(port), "output!!");
    }
    // DEVICE_READY is answered by PORT_ADD for each port; PORT_READY by its name and state.
    for (id, event) in [(0u64, 0u64), (1, 3)] {
        driver.put(BUFFERS + 0x900, 8, id | event << 32 | 1 << 48);
        driver.describe(3, 0, (BUFFERS + 0x900, 8, 0, 0));
        driver.offer(3, 0);
    }
    let mut messages = Vec::new();
    driver.describe(2, 0, (BUFFERS + 0xa00, 64, WRITE, 0));
    for _ in 0..5 {
        driver.offer(2, 0);
        messages.push((driver.load(BUFFERS + 0xa00, 8), driver.used(2).1));
    }
    let add = |port: u64| (port | 1 << 32 | 1 << 48, 8);
    assert_eq!(
        messages,
        [add(0), add(1), add(2), (1 | 7 << 32 | 1 << 48, 9), (1 | 6 << 32 | 1 << 48, 8)]
    );
    assert!(!driver.machine.console_is_open(1));
    driver.put(BUFFERS + 0x900, 8, 1 | 6 << 32 | 1 << 48);
    driver.offer(3, 0);
    assert!(driver.machine.console_is_open(1));
}

#[test]
fn output_waits_in_the_ring_until_the_host_takes_it() {
    let (mut machine, mut host) = (machine(), host());
    let mut driver = Driver::new(&mut machine, &mut host, CONSOLE, 3, 8);
    driver.put(BUFFERS, 8, u64::from_le_bytes(*b"one two "));
    driver.describe(5, 0, (BUFFERS, 4, 0, 0));
    driver.describe(5, 1, (BUFFERS + 4, 4, 0, 0));
    driver.host.full = true;
    driver.offer(5, 0);
    driver.offer(5, 1);
    assert_eq!(driver.used(5).0, 0, "nothing is taken");
    assert_eq!(driver.host.text(1), "");
    driver.host.full = false;
    driver.machine.console_takes_again();
    driver.work();
    assert_eq!((driver.used(5).0, driver.host.text(1).as_str()), (2, "one two "));
    assert!(!driver.broken());
}

#[test]
fn a_broken_ring_breaks_its_device_until_reset() {
    let end = riscv::BASE + (4 << 20);
    type Break = (&'static str, fn(&mut Driver<'_>, u64));
    let breaks: &[Break] = &[
        ("a head out of range", |d, _| d.offer(0, SIZE)),
        ("a buffer outside", |d, _| {
            d.describe(0, 0, (0x1000, 8, WRITE, 0));
            d.offer(0, 0);
        }),
        ("a buffer over the end", |d, end| {
            d.describe(0, 0, (end - 4, 8, WRITE, 0));
            d.offer(0, 0);
        }),
        ("a buffer at the end of everything", |d, _| {
            d.describe(0, 0, (u64::MAX - 3, 8, WRITE, 0));
            d.offer(0, 0);
        }),
        ("a loop", |d, _| {
            d.describe(0, 0, (BUFFERS, 8, WRITE | NEXT, 1));
            d.describe(0, 1, (BUFFERS, 8, WRITE | NEXT, 0));
            d.offer(0, 0);
        }),
        ("an indirect table", |d, _| {
            d.describe(0, 0, (BUFFERS, 16, INDIRECT, 0));
            d.offer(0, 0);
        }),
        ("readable after writable", |d, _| {
            d.describe(0, 0, (BUFFERS, 8, WRITE | NEXT, 1));
            d.describe(0, 1, (BUFFERS, 8, 0, 0));
            d.offer(0, 0);
        }),
        ("more requests than entries", |d, _| {
            d.fill(0, 0x400, (SIZE + 1) << 16);
            d.set(0x050, 0);
            d.work();
        }),
    ];
    for (name, act) in breaks {
        for device in [RNG, BLOCK, SHARE] {
            let (mut machine, mut host) = (machine(), host());
            let mut driver = Driver::new(&mut machine, &mut host, device, 0, 1);
            act(&mut driver, end);
            assert!(driver.broken(), "{name}");
            assert_eq!(driver.get(0x060) & 2, 2, "{name}: the driver is told");
            driver.set(0x070, 0);
            assert_eq!(driver.get(0x070), 0, "{name}: a reset repairs it");
        }
    }
}

#[test]
fn rings_of_garbage_do_no_harm() {
    let mut worked = 0;
    for round in 0..number("RISCV_ROUNDS", 3_000) {
        let mut rng = Rng(number("RISCV_SEED", 77) + round);
        let (mut machine, mut host) = (machine(), host());
        let device = rng.below(4);
        let (features, queues) = if device == CONSOLE { (3, 8) } else { (0, 1) };
        machine.console_input(0, &[9; 500]);
        let mut driver = Driver::new(&mut machine, &mut host, device, features, queues);
        for queue in 0..queues {
            for index in 0..SIZE {
                let address =
                    if rng.below(8) == 0 { rng.next() } else { BUFFERS + rng.below(1 << 20) };
                let size = if rng.below(8) == 0 { rng.next() >> 32 } else { rng.below(5000) };
                let kinds = if rng.below(8) == 0 { 8 } else { 4 };
                let flags = rng.below(kinds);
                driver.describe(queue, index, (address, size, flags, rng.below(SIZE + 1)));
            }
            for _ in 0..rng.below(SIZE) {
                driver.offer(queue, rng.below(SIZE));
            }
            if rng.below(4) == 0 {
                driver.fill(queue, 0x400 + 8 * rng.below(4), rng.next());
                driver.set(0x050, queue as u32);
                driver.work();
            }
            worked += driver.used(queue).0;
        }
        let registers = rng.below(200);
        for _ in 0..registers {
            driver.set(4 * rng.below(0x60), rng.next() as u32 >> rng.below(32));
        }
        driver.work();
    }
    assert!(worked > 1_000, "most garbage must get past the first check: {worked}");
}
