//! The device tree of the machine: what a kernel is told about it.
//!
//! Written by [`crate::Machine::boot`]. It must describe exactly what exists: a property that is wrong
//! here is a device that Linux does not find.
//!
//! Linux bindings `riscv/cpus.yaml`, `riscv/extensions.yaml`, `interrupt-controller/sifive,plic-1.0.0.yaml`,
//! `virtio/mmio.yaml`.

use crate::cpu::hart::TICKS_PER_SECOND;
use crate::devices::{FIRST_INTERRUPT, PLIC_BASE, VIRTIO_BASE, VIRTIO_STRIDE, plic};
use crate::fdt::Fdt;
use crate::memory::BASE;
use alloc::format;
use alloc::vec::Vec;

/// What the tree depends on.
#[derive(Clone, Debug)]
pub struct Described<'a> {
    /// Bytes of memory.
    pub memory: u64,
    /// Virtio devices.
    pub devices: usize,
    /// The kernel's command line.
    pub arguments: &'a str,
    /// Where an initial file system lies: address and size.
    pub initrd: Option<(u64, u64)>,
    /// Seed of the kernel's random numbers: without one its first users wait for seconds.
    pub seed: &'a [u8],
}

/// The extensions that the hart has.
const EXTENSIONS: &[&str] =
    &["i", "m", "a", "f", "d", "c", "zicntr", "zicsr", "zifencei", "sstc", "svadu"];
/// The same as one string, for kernels before 6.7.
const ISA: &str = "rv64imafdc_zicntr_zicsr_zifencei_sstc_svadu";

const CPU_INTERRUPTS: u32 = 1;
const PLIC: u32 = 2;
/// The cause of external interrupts in supervisor mode.
const SUPERVISOR_EXTERNAL: u32 = 9;

/// Writes the tree.
pub fn write(described: &Described<'_>) -> Vec<u8> {
    let mut fdt = Fdt::default();
    fdt.node("", |fdt| {
        fdt.cells("#address-cells", &[2]);
        fdt.cells("#size-cells", &[2]);
        fdt.strings("compatible", &["xpressclaw,machine"]);
        fdt.strings("model", &["xpressclaw machine"]);
        chosen(fdt, described);
        fdt.node(&format!("memory@{BASE:x}"), |fdt| {
            fdt.strings("device_type", &["memory"]);
            fdt.range("reg", BASE, described.memory);
        });
        cpus(fdt);
        fdt.node("soc", |fdt| {
            fdt.cells("#address-cells", &[2]);
            fdt.cells("#size-cells", &[2]);
            fdt.strings("compatible", &["simple-bus"]);
            fdt.flag("ranges");
            interrupt_controller(fdt);
            for slot in 0..described.devices {
                virtio(fdt, slot);
            }
        });
    });
    fdt.finish()
}

fn chosen(fdt: &mut Fdt, described: &Described<'_>) {
    fdt.node("chosen", |fdt| {
        fdt.strings("bootargs", &[described.arguments]);
        if let Some((address, size)) = described.initrd {
            let cells = |value: u64| [(value >> 32) as u32, value as u32];
            fdt.cells("linux,initrd-start", &cells(address));
            fdt.cells("linux,initrd-end", &cells(address + size));
        }
        if !described.seed.is_empty() {
            fdt.bytes("rng-seed", described.seed);
        }
    });
}

fn cpus(fdt: &mut Fdt) {
    fdt.node("cpus", |fdt| {
        fdt.cells("#address-cells", &[1]);
        fdt.cells("#size-cells", &[0]);
        fdt.cells("timebase-frequency", &[TICKS_PER_SECOND as u32]);
        fdt.node("cpu@0", |fdt| {
            fdt.strings("device_type", &["cpu"]);
            fdt.cells("reg", &[0]);
            fdt.strings("status", &["okay"]);
            fdt.strings("compatible", &["riscv"]);
            fdt.strings("riscv,isa", &[ISA]);
            fdt.strings("riscv,isa-base", &["rv64i"]);
            fdt.strings("riscv,isa-extensions", EXTENSIONS);
            fdt.strings("mmu-type", &["riscv,sv39"]);
            fdt.node("interrupt-controller", |fdt| {
                fdt.cells("#interrupt-cells", &[1]);
                fdt.flag("interrupt-controller");
                fdt.strings("compatible", &["riscv,cpu-intc"]);
                fdt.cells("phandle", &[CPU_INTERRUPTS]);
            });
        });
    });
}

fn interrupt_controller(fdt: &mut Fdt) {
    fdt.node(&format!("interrupt-controller@{PLIC_BASE:x}"), |fdt| {
        fdt.strings("compatible", &["sifive,plic-1.0.0", "riscv,plic0"]);
        fdt.range("reg", PLIC_BASE, plic::SIZE);
        fdt.cells("#address-cells", &[0]);
        fdt.cells("#interrupt-cells", &[1]);
        fdt.flag("interrupt-controller");
        fdt.cells("interrupts-extended", &[CPU_INTERRUPTS, SUPERVISOR_EXTERNAL]);
        fdt.cells("riscv,ndev", &[plic::SOURCES as u32 - 1]);
        fdt.cells("phandle", &[PLIC]);
    });
}

fn virtio(fdt: &mut Fdt, slot: usize) {
    let address = VIRTIO_BASE + VIRTIO_STRIDE * slot as u64;
    fdt.node(&format!("virtio_mmio@{address:x}"), |fdt| {
        fdt.strings("compatible", &["virtio,mmio"]);
        fdt.range("reg", address, VIRTIO_STRIDE);
        fdt.cells("interrupts", &[FIRST_INTERRUPT + slot as u32]);
        fdt.cells("interrupt-parent", &[PLIC]);
    });
}
