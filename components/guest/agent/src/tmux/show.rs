//! What the window `agent` runs: copies from the agent to its terminal, for ever.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// How often an agent is looked for that was started anew.
const LOOK: Duration = Duration::from_millis(100);

/// Until the terminal is gone, or the folder of the socket.
pub fn copy(socket: &Path) -> io::Result<()> {
    let mut out = io::stdout();
    deafen()?;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let mut agent = match UnixStream::connect(socket) {
            Ok(agent) => agent,
            Err(_) if socket.parent().is_some_and(Path::is_dir) => {
                thread::sleep(LOOK);
                continue;
            }
            Err(error) => return Err(error),
        };
        loop {
            match agent.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    out.write_all(&buffer[..count])?;
                    out.flush()?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }
}

/// What is typed here is neither shown nor does it end the window.
fn deafen() -> io::Result<()> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON);
    tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
    Ok(())
}
