//! Messages of noise: whatever comes, there is an answer, and nothing happens outside.

use super::client::{Body, Client, NO_FID, ROOT};
use super::{client, folder};
use std::path::Path;

/// Xorshift: the same noise in every run.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "a",
    "b",
    "c",
    "d",
    "a",
    "b",
    "c",
    "d",
    "..",
    ".",
    "",
    "a/b",
    "../secret",
    "/etc",
];

fn number(rng: &mut Rng) -> u64 {
    match rng.below(8) {
        0 => rng.next(),
        1 => u64::MAX,
        2 => rng.below(1 << 20),
        _ => rng.below(16),
    }
}

/// A request that could be meant, mostly.
pub fn request(rng: &mut Rng) -> (u8, Body) {
    let kind = rng.pick(&[
        8, 12, 14, 16, 18, 20, 22, 24, 26, 40, 50, 52, 54, 70, 72, 74, 76, 104, 110, 110, 110, 110,
        116, 118, 120, 122,
    ]);
    let fid = |rng: &mut Rng| if rng.below(3) == 0 { ROOT } else { rng.below(12) as u32 };
    let body = Body::default().u32(fid(rng));
    let mode = 0o700 | rng.pick(&[0o100_000, 0o010_000, 0o140_000, 0o020_000, 0]);
    let body = match kind {
        12 => body.u32(rng.pick(&[0, 1, 2, 0o1001, 0o2001, u32::MAX])),
        14 => body.text(rng.pick(NAMES)).u32(rng.pick(&[0, 1, 2, 0o201])).u32(mode).u32(0),
        16 => body.text(rng.pick(NAMES)).text(rng.pick(NAMES)).u32(0),
        18 => body.text(rng.pick(NAMES)).u32(mode).u32(1).u32(3).u32(0),
        20 | 70 => body.u32(fid(rng)).text(rng.pick(NAMES)),
        24 => body.u64(rng.next()),
        26 => {
            let body = body.u32(rng.next() as u32 & 0x1ff).u32(0o700).u32(0).u32(0);
            (0..5).fold(body.u64(rng.below(1 << 20)), |body, i| {
                if i < 4 { body.u64(rng.below(1 << 30)) } else { body }
            })
        }
        40 | 116 => body.u64(number(rng)).u32(number(rng) as u32),
        50 => body.u32(0),
        52 | 54 => {
            let body = body.u8(rng.below(4) as u8);
            let body = if kind == 52 { body.u32(0) } else { body };
            body.u64(number(rng)).u64(number(rng)).u32(rng.below(4) as u32).text("guest")
        }
        72 => body.text(rng.pick(NAMES)).u32(0o700).u32(0),
        74 => body.text(rng.pick(NAMES)).u32(fid(rng)).text(rng.pick(NAMES)),
        76 => body.text(rng.pick(NAMES)).u32(rng.pick(&[0, 0x200])),
        104 => body.u32(NO_FID).text("").text(rng.pick(&["", "", "/", ".."])).u32(0),
        110 => {
            let count = rng.below(4);
            let body = body.u32(rng.below(12) as u32).u16(count as u16);
            (0..count).fold(body, |body, _| body.text(rng.pick(NAMES)))
        }
        118 => {
            let size = rng.below(2_000);
            // Within a quarter of a MiB, so that the host's disk has room for it.
            let mut body = body.u64(rng.below(1 << 18)).u32(size as u32);
            body.0.extend((0..size).map(|i| i as u8));
            body
        }
        _ => body,
    };
    (kind, body)
}

pub fn mutate(rng: &mut Rng, message: &mut Vec<u8>) {
    match rng.below(6) {
        0 => message.truncate(rng.below(message.len() as u64 + 1) as usize),
        1 => message.extend((0..rng.below(40)).map(|i| i as u8)),
        2 => {
            let at = rng.below(message.len() as u64) as usize;
            message[at] = rng.next() as u8;
        }
        _ => {}
    }
    // The size mostly agrees, so that more is looked at than that.
    let length = message.len() as u32;
    if let Some(size) = message.first_chunk_mut().filter(|_| rng.below(8) != 0) {
        *size = length.to_le_bytes();
    }
}

pub fn check_outside(folder: &Path) {
    assert_eq!(std::fs::read(folder.join("secret")).unwrap(), b"outside");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["inside", "secret"]);
}

fn answered(client: &mut Client, message: &[u8]) -> bool {
    let mut reply = Vec::new();
    client.server.handle(message, &mut reply);
    let size = u32::from_le_bytes(*reply.first_chunk().unwrap());
    assert_eq!(size as usize, reply.len());
    assert!(size <= client.size, "{size}");
    let kind = reply[4];
    if message.len() >= 7 {
        assert_eq!(reply[5..7], message[5..7], "the tag");
        assert!(kind == 7 || kind == message[4].wrapping_add(1), "{kind}");
    }
    kind != 7
}

#[test]
fn noise_is_answered_and_does_nothing_outside() {
    let rounds = std::env::var("NINEP_ROUNDS").map_or(30, |text| text.parse().unwrap());
    let (mut good, mut all) = (0, 0);
    for round in 0..rounds {
        let folder = folder();
        let mut c = client(&folder);
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 + round);
        for _ in 0..2_000 {
            let (kind, body) = request(&mut rng);
            let mut message = body.message(kind, rng.next() as u16);
            mutate(&mut rng, &mut message);
            // Agreeing anew would forget all fids.
            if message.get(4) != Some(&100) {
                good += u32::from(answered(&mut c, &message));
                all += 1;
            }
        }
        for _ in 0..500 {
            let noise: Vec<u8> = (0..rng.below(80)).map(|_| rng.next() as u8).collect();
            if noise.get(4) != Some(&100) {
                answered(&mut c, &noise);
            }
        }
        check_outside(folder.path());
    }
    assert!(good > all / 20, "{good} of {all}: many must be meant well enough to do something");
}
