//! A client in a few lines: it speaks as Linux does, and as Linux never would.

use ninep::Server;

pub const ROOT: u32 = 0;
pub const NO_FID: u32 = !0;

pub mod errno {
    pub const PERM: u32 = 1;
    pub const NOENT: u32 = 2;
    pub const NXIO: u32 = 6;
    pub const BADF: u32 = 9;
    #[allow(dead_code, reason = "one test program has rules")]
    pub const ACCES: u32 = 13;
    pub const BUSY: u32 = 16;
    pub const EXIST: u32 = 17;
    #[allow(dead_code, reason = "one test program has rules")]
    pub const XDEV: u32 = 18;
    pub const NOTDIR: u32 = 20;
    pub const ISDIR: u32 = 21;
    pub const INVAL: u32 = 22;
    #[allow(dead_code, reason = "one test program has limits to reach")]
    pub const NFILE: u32 = 23;
    pub const FBIG: u32 = 27;
    pub const NAMETOOLONG: u32 = 36;
    pub const NOLCK: u32 = 37;
    pub const NOTEMPTY: u32 = 39;
    pub const LOOP: u32 = 40;
    pub const PROTO: u32 = 71;
    pub const OVERFLOW: u32 = 75;
    pub const OPNOTSUPP: u32 = 95;
    pub const STALE: u32 = 116;
}

pub mod flag {
    pub const READ: u32 = 0;
    pub const WRITE: u32 = 1;
    pub const READ_WRITE: u32 = 2;
    pub const EXCLUSIVE: u32 = 0o200;
    pub const TRUNCATE: u32 = 0o1000;
    pub const APPEND: u32 = 0o2000;
    pub const DIRECTORY: u32 = 0o200_000;
}

pub type Answer<T> = Result<T, u32>;

/// The content of a message.
#[derive(Default)]
pub struct Body(pub Vec<u8>);

impl Body {
    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn text(self, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let mut body = self.u16(text.len() as u16);
        body.0.extend_from_slice(text);
        body
    }

    /// The whole message.
    pub fn message(self, kind: u8, tag: u16) -> Vec<u8> {
        let size = self.0.len() as u32 + 7;
        let mut message = size.to_le_bytes().to_vec();
        message.push(kind);
        message.extend_from_slice(&tag.to_le_bytes());
        message.extend(self.0);
        message
    }
}

/// Takes an answer apart.
pub struct Parts<'a>(pub &'a [u8]);

impl Parts<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().expect("a longer answer");
        self.0 = rest;
        *head
    }

    pub fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub fn text(&mut self) -> Vec<u8> {
        let size = self.u16().into();
        let (text, rest) = self.0.split_at(size);
        self.0 = rest;
        text.to_vec()
    }

    pub fn qid(&mut self) -> Qid {
        Qid { kind: self.u8(), version: self.u32(), path: self.u64() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qid {
    pub kind: u8,
    pub version: u32,
    pub path: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub qid: Qid,
    pub mode: u32,
    pub owner: (u32, u32),
    pub links: u64,
    pub size: u64,
    pub modified: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub qid: Qid,
    pub cookie: u64,
    pub kind: u8,
    pub name: Vec<u8>,
}

pub struct Client {
    pub server: Server,
    pub size: u32,
    next: u32,
}

impl Client {
    /// A client that agreed on a version and has the folder as [`ROOT`].
    pub fn new(server: Server) -> Self {
        let mut client = Self { server, size: 0, next: 1 };
        client.version(1 << 20);
        client.call(104, Body::default().u32(ROOT).u32(NO_FID).text("").text("").u32(0)).unwrap();
        client
    }

    pub fn version(&mut self, size: u32) {
        let answer = self.call(100, Body::default().u32(size).text("9P2000.L")).unwrap();
        self.size = Parts(&answer).u32();
    }

    /// A fid that is not in use.
    pub fn fid(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Sends a request and takes the answer's content, or its error number.
    pub fn call(&mut self, kind: u8, body: Body) -> Answer<Vec<u8>> {
        let mut reply = Vec::new();
        self.server.handle(&body.message(kind, 77), &mut reply);
        let mut parts = Parts(&reply);
        assert_eq!(parts.u32() as usize, reply.len());
        let (answer, tag) = (parts.u8(), parts.u16());
        assert_eq!(tag, 77);
        if answer == 7 {
            return Err(parts.u32());
        }
        assert_eq!(answer, kind + 1);
        assert!(self.size == 0 || reply.len() <= self.size as usize);
        Ok(parts.0.to_vec())
    }

    /// Walks names from a fid; gives a new fid.
    pub fn walk_from(&mut self, from: u32, names: &[&[u8]]) -> Answer<u32> {
        let new = self.fid();
        let body = Body::default().u32(from).u32(new).u16(names.len() as u16);
        let body = names.iter().fold(body, |body, name| body.text(name));
        let answer = self.call(110, body)?;
        let walked = Parts(&answer).u16();
        if usize::from(walked) == names.len() { Ok(new) } else { Err(errno::NOENT) }
    }

    /// Walks a path with slashes.
    pub fn walk(&mut self, path: &str) -> Answer<u32> {
        let names: Vec<&[u8]> =
            path.split('/').filter(|name| !name.is_empty()).map(str::as_bytes).collect();
        self.walk_from(ROOT, &names)
    }

    pub fn clunk(&mut self, fid: u32) -> Answer<()> {
        self.call(120, Body::default().u32(fid)).map(drop)
    }

    pub fn open_fid(&mut self, fid: u32, flags: u32) -> Answer<()> {
        self.call(12, Body::default().u32(fid).u32(flags)).map(drop)
    }

    pub fn open(&mut self, path: &str, flags: u32) -> Answer<u32> {
        let fid = self.walk(path)?;
        self.open_fid(fid, flags).map(|()| fid)
    }

    /// Makes and opens a file in the directory of that fid, which becomes the file's.
    pub fn create_at(
        &mut self,
        fid: u32,
        name: impl AsRef<[u8]>,
        flags: u32,
        mode: u32,
    ) -> Answer<()> {
        self.call(14, Body::default().u32(fid).text(name).u32(flags).u32(mode).u32(0)).map(drop)
    }

    pub fn create(&mut self, path: &str, flags: u32, mode: u32) -> Answer<u32> {
        let (directory, name) = split(path);
        let fid = self.walk(directory)?;
        self.create_at(fid, name, flags, mode).map(|()| fid)
    }

    pub fn read(&mut self, fid: u32, offset: u64, count: u32) -> Answer<Vec<u8>> {
        let answer = self.call(116, Body::default().u32(fid).u64(offset).u32(count))?;
        let mut parts = Parts(&answer);
        assert_eq!(parts.u32() as usize, parts.0.len());
        Ok(parts.0.to_vec())
    }

    pub fn write(&mut self, fid: u32, offset: u64, data: &[u8]) -> Answer<u32> {
        let mut body = Body::default().u32(fid).u64(offset).u32(data.len() as u32);
        body.0.extend_from_slice(data);
        self.call(118, body).map(|answer| Parts(&answer).u32())
    }

    pub fn getattr(&mut self, fid: u32) -> Answer<Attributes> {
        let answer = self.call(24, Body::default().u32(fid).u64(0x7ff))?;
        let parts = &mut Parts(&answer);
        assert_eq!(parts.u64(), 0x7ff);
        let (qid, mode, owner) = (parts.qid(), parts.u32(), (parts.u32(), parts.u32()));
        let (links, _device, size) = (parts.u64(), parts.u64(), parts.u64());
        let (_block, _blocks, _accessed) = (parts.u64(), parts.u64(), (parts.u64(), parts.u64()));
        let modified = (parts.u64(), parts.u64());
        assert_eq!(parts.0.len(), 6 * 8, "change time and what is not supported");
        Ok(Attributes { qid, mode, owner, links, size, modified })
    }

    pub fn stat(&mut self, path: &str) -> Answer<Attributes> {
        let fid = self.walk(path)?;
        let attributes = self.getattr(fid);
        self.clunk(fid)?;
        attributes
    }

    /// Changes attributes: which, mode, size, modification time.
    pub fn setattr(
        &mut self,
        fid: u32,
        valid: u32,
        mode: u32,
        size: u64,
        modified: (u64, u64),
    ) -> Answer<()> {
        let body = Body::default().u32(fid).u32(valid).u32(mode).u32(1234).u32(1234).u64(size);
        let body = body.u64(0).u64(0).u64(modified.0).u64(modified.1);
        self.call(26, body).map(drop)
    }

    /// One piece of a directory.
    pub fn entries(&mut self, fid: u32, offset: u64, count: u32) -> Answer<Vec<Entry>> {
        let answer = self.call(40, Body::default().u32(fid).u64(offset).u32(count))?;
        let mut parts = Parts(&answer);
        assert_eq!(parts.u32() as usize, parts.0.len());
        assert!(parts.0.len() <= count as usize);
        let mut entries = Vec::new();
        while !parts.0.is_empty() {
            let (qid, cookie, kind) = (parts.qid(), parts.u64(), parts.u8());
            entries.push(Entry { qid, cookie, kind, name: parts.text() });
        }
        Ok(entries)
    }

    /// All names in a directory but `.` and `..`, sorted.
    pub fn names(&mut self, path: &str, count: u32) -> Answer<Vec<Vec<u8>>> {
        let fid = self.open(path, flag::READ | flag::DIRECTORY)?;
        let (mut names, mut offset) = (Vec::new(), 0);
        loop {
            let entries = self.entries(fid, offset, count)?;
            let Some(last) = entries.last() else { break };
            offset = last.cookie;
            names.extend(entries.into_iter().map(|entry| entry.name));
        }
        self.clunk(fid)?;
        names.retain(|name| name != b"." && name != b"..");
        names.sort();
        Ok(names)
    }

    /// Does something with a directory and a name in it.
    fn at(
        &mut self,
        path: &str,
        kind: u8,
        rest: impl FnOnce(Body, &str) -> Body,
    ) -> Answer<Vec<u8>> {
        let (directory, name) = split(path);
        let fid = self.walk(directory)?;
        let answer = self.call(kind, rest(Body::default().u32(fid), name));
        self.clunk(fid)?;
        answer
    }

    pub fn mkdir(&mut self, path: &str, mode: u32) -> Answer<()> {
        self.at(path, 72, |body, name| body.text(name).u32(mode).u32(0)).map(drop)
    }

    pub fn mknod(&mut self, path: &str, mode: u32) -> Answer<()> {
        self.at(path, 18, |body, name| body.text(name).u32(mode).u32(1).u32(3).u32(0)).map(drop)
    }

    pub fn symlink(&mut self, target: &[u8], path: &str) -> Answer<()> {
        self.at(path, 16, |body, name| body.text(name).text(target).u32(0)).map(drop)
    }

    pub fn readlink(&mut self, path: &str) -> Answer<Vec<u8>> {
        let fid = self.walk(path)?;
        let answer = self.call(22, Body::default().u32(fid));
        self.clunk(fid)?;
        answer.map(|answer| Parts(&answer).text())
    }

    pub fn link(&mut self, old: &str, path: &str) -> Answer<()> {
        let old = self.walk(old)?;
        let answer = self.at(path, 70, |body, name| body.u32(old).text(name)).map(drop);
        self.clunk(old)?;
        answer
    }

    pub fn unlink(&mut self, path: &str, flags: u32) -> Answer<()> {
        self.at(path, 76, |body, name| body.text(name).u32(flags)).map(drop)
    }

    pub fn rename(&mut self, old: &str, new: &str) -> Answer<()> {
        let ((old, old_name), (new, new_name)) = (split(old), split(new));
        let old = self.walk(old)?;
        let answer = self.walk(new).and_then(|new| {
            let body = Body::default().u32(old).text(old_name).u32(new).text(new_name);
            let answer = self.call(74, body);
            self.clunk(new)?;
            answer.map(drop)
        });
        self.clunk(old)?;
        answer
    }

    pub fn put(&mut self, path: &str, content: &[u8]) -> Answer<()> {
        let fid = self.create(path, flag::WRITE | flag::TRUNCATE, 0o644)?;
        assert_eq!(self.write(fid, 0, content)? as usize, content.len());
        self.clunk(fid)
    }

    pub fn get(&mut self, path: &str) -> Answer<Vec<u8>> {
        let fid = self.open(path, flag::READ)?;
        let content = self.read(fid, 0, 1 << 20)?;
        self.clunk(fid)?;
        Ok(content)
    }
}

/// A path's directory and name.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
