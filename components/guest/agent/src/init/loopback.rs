//! Switches the loopback interface on, by one message of rtnetlink (`rtnetlink(7)`): the kernel gives it
//! its addresses itself. The machine has no other interface.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, sendto, socket};

/// Of `linux/netlink.h`, `linux/rtnetlink.h` and `linux/if.h`.
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const IFF_UP: u32 = 1;
/// Linux makes it first.
const LOOPBACK: i32 = 1;

pub fn up() -> io::Result<()> {
    let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    sendto(&socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 256];
    let (count, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    outcome(&answer[..count])
}

/// `nlmsghdr`, then `ifinfomsg`.
fn request() -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    message.extend([0; 8]); // sequence, sender
    message.extend([0; 4]); // family, padding, type
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes()); // of the flags, those to change
    message
}

/// `nlmsgerr`: zero, or the error's number with a minus.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let odd = || io::Error::other("an odd answer of rtnetlink");
    let kind = answer.get(4..6).and_then(|kind| kind.try_into().ok()).ok_or_else(odd)?;
    let number = answer.get(16..20).and_then(|number| number.try_into().ok()).ok_or_else(odd)?;
    match (u16::from_ne_bytes(kind), i32::from_ne_bytes(number)) {
        (NLMSG_ERROR, 0) => Ok(()),
        (NLMSG_ERROR, number) => Err(io::Error::from_raw_os_error(-number)),
        _ => Err(odd()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_length_that_it_says() {
        let message = request();
        assert_eq!(message.len(), 32);
        assert_eq!(message[..4], 32_u32.to_ne_bytes());
    }

    #[test]
    fn answers_are_understood() {
        let answer = |kind: u16, number: i32| {
            let mut answer = [36_u32.to_ne_bytes(), [0; 4], [0; 4], [0; 4]].concat();
            answer[4..6].copy_from_slice(&kind.to_ne_bytes());
            answer.extend(number.to_ne_bytes());
            answer
        };
        assert!(outcome(&answer(NLMSG_ERROR, 0)).is_ok());
        assert_eq!(outcome(&answer(NLMSG_ERROR, -1)).unwrap_err().raw_os_error(), Some(1));
        assert!(outcome(&answer(3, 0)).is_err());
        assert!(outcome(&[]).is_err());
    }
}
