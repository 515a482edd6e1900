//! What a kernel finds when it is booted: itself, its initial file system, and a tree that says where.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use riscv::{BASE, Boot, BootError, Config, Machine};

const MEMORY: usize = 16 << 20;
const KERNEL_AT: u64 = BASE + (2 << 20);

fn machine() -> Machine {
    Machine::new(&Config {
        memory: MEMORY,
        size: (80, 25),
        ports: &[],
        disk: Some(1 << 20),
        shares: &[],
    })
}

fn boot<'a>(kernel: &'a [u8], initrd: Option<&'a [u8]>) -> Boot<'a> {
    Boot { kernel, initrd, arguments: "console=hvc0 quiet", seed: &[5; 32] }
}

/// A kernel that says that it takes so many bytes.
fn image(declared: u64) -> Vec<u8> {
    let mut image = vec![0x13; 4096];
    image[16..24].copy_from_slice(&declared.to_le_bytes());
    image[56..60].copy_from_slice(b"RSC\x05");
    image
}

#[test]
fn a_kernel_finds_what_it_was_given() {
    let mut machine = machine();
    let (kernel, initrd) = (image(1 << 20), vec![0xab; 5000]);
    machine.boot(&boot(&kernel, Some(&initrd))).unwrap();
    let (hart, memory) = (&machine.cpu.hart, &machine.cpu.memory);
    assert_eq!((hart.pc, hart.x[10]), (KERNEL_AT, 0));
    assert_eq!(memory.get(KERNEL_AT, kernel.len()).unwrap(), kernel);
    let at = hart.x[11];
    let header = memory.get(at, 8).unwrap();
    assert_eq!(header[..4], [0xd0, 0x0d, 0xfe, 0xed]);
    let size = u32::from_be_bytes(header[4..].try_into().unwrap()) as usize;
    let tree = memory.get(at, size).unwrap();
    let contains = |bytes: &[u8]| tree.windows(bytes.len()).any(|window| window == bytes);
    for text in ["console=hvc0 quiet", "riscv,sv39", "virtio_mmio@10003000", "memory@80000000"] {
        assert!(contains(text.as_bytes()), "{text}");
    }
    assert!(!contains(b"virtio_mmio@10004000"), "three devices, no fourth");
    assert!(contains(&[5; 32]), "the seed");
    // The initial file system is where the tree says, which is below the tree.
    let initrd_at = (at - 5000) & !4095;
    assert!(contains(&initrd_at.to_be_bytes()) && contains(&(initrd_at + 5000).to_be_bytes()));
    assert_eq!(memory.get(initrd_at, 5000).unwrap(), initrd);
}

#[test]
fn what_does_not_fit_is_refused() {
    let large = vec![0; MEMORY];
    for (name, kernel, initrd) in [
        ("a large kernel", large.clone(), None),
        ("a kernel that says that it is large", image(MEMORY as u64), None),
        ("a kernel that says that it is endless", image(u64::MAX), None),
        ("a large file system", image(4096), Some(large.as_slice())),
        ("both", vec![0; MEMORY / 2], Some(&large[..MEMORY / 2])),
    ] {
        assert_eq!(machine().boot(&boot(&kernel, initrd)), Err(BootError), "{name}");
    }
    let mut tiny =
        Machine::new(&Config { memory: 4096, size: (1, 1), ports: &[], disk: None, shares: &[] });
    assert_eq!(tiny.boot(&boot(&[], None)), Err(BootError));
    let seed = vec![1; 100_000];
    assert_eq!(machine().boot(&Boot { seed: &seed, ..boot(&[], None) }), Err(BootError));
}
