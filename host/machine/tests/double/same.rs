//! What programs see of the machine and do with its workspace is the same on both.

use crate::files::listed;
use crate::place::Place;
use crate::{ours, qemu};

/// Each runs in a folder of its own, without input. Not here is what our share does otherwise on purpose: no
/// set-user-id or set-group-id reaches the host, no device is made, locks hold among machines, and a
/// file without a name can be opened again.
const SCRIPTS: [&str; 17] = [
    "uname -srvm; hostname; id; umask; ulimit -n; ulimit -c; nproc; date +%Z",
    // How large `/dev` may be follows from memory, of which firmware takes some.
    "env | sort; cut -d' ' -f2-4 /proc/mounts | sort | sed 's/size=[0-9k]*,nr_inodes=[0-9]*//'; \
     cat /proc/cmdline /proc/filesystems",
    "ls /dev/virtio-ports /sys/bus/virtio/drivers; ls -l /dev/fd /dev/null",
    // Files and their modes.
    "umask 027; mkdir -p a/b; echo x >a/b/c; chmod 751 a/b/c; stat -c '%a %F %s %h %U' a a/b a/b/c",
    "echo x >a; ln a b; ln -s b c; ln -s nowhere d; stat -c '%h %F' a c d; cat c; cat d; readlink c",
    "echo 1 >a; echo 2 >b; mv b a; cat a; mkdir d e; touch d/x; rmdir d; mv a d; mv d e; mv -T e d; ls -R",
    "echo one >f; echo two >>f; truncate -s 5 f; od -c f; truncate -s 9 f; od -c f; : >f; stat -c %s f",
    "touch -d '2020-01-02 03:04:05.678' f; stat -c %y f; touch -r f g; stat -c %y g",
    "for i in {1..150}; do echo $i >file-$i; done; ls | cksum; rm file-1*; ls | wc -l; cat * | cksum",
    // What is open stays, whatever becomes of its name.
    "exec 3<>f; rm f; echo unlinked >&3; stat -L -c '%s %F' /proc/self/fd/3; exec 4<>g; mv g h; echo moved >&4; cat h",
    "exec 9>lock; flock 9; flock -n lock true; echo $?; (flock -n 8; echo $?) 8>other; flock -u 9",
    // Errors.
    "cat nothing; mkdir a; mkdir a; rmdir nothing; cat a; echo x >a; ln -s loop loop; cat loop; rm a",
    "touch $(printf 'x%.0s' {1..256}); touch $(printf 'x%.0s' {1..255}); ls | wc -c; ls /workspace/../..",
    // Whole programs.
    "python3 -c 'import mmap; f = open(\"m\", \"w+b\"); f.truncate(9999); m = mmap.mmap(f.fileno(), 0); \
     m[5000:5003] = b\"abc\"; m.flush(); m.close(); f.seek(4999); print(f.read(5))'; cksum m",
    "python3 -c 'import sqlite3 as s; c = s.connect(\"db\"); c.execute(\"create table t(x)\"); \
     c.executemany(\"insert into t values(?)\", [(n,) for n in range(99)]); c.commit(); \
     print(c.execute(\"select sum(x) from t\").fetchone())'; rm db",
    "export GIT_AUTHOR_DATE=@0 GIT_COMMITTER_DATE=@0; git init -q; echo x >f; git add f; \
     git -c user.name=a -c user.email=b commit -qm one; git log --format=%H%d; git status; rm -r .git",
    "seq 2000 | tee f | gzip -n >f.gz; zcat f.gz | cmp - f; tar --mtime=@0 --sort=name -cf - f f.gz | \
     cksum; rm f.gz; python3 -c 'import math; print(math.sqrt(2), math.sin(1e22), 2**0.5 / 3)'",
];

#[tokio::test]
async fn programs_find_and_leave_the_same_on_both() {
    let machines = [ours::boot().await, qemu::boot().await];
    let mut differences = Vec::new();
    for (n, script) in SCRIPTS.iter().enumerate() {
        let [ours, theirs] = machines.each_ref().map(|place| played(place, n, script));
        let (ours, theirs) = futures::join!(ours, theirs);
        if ours != theirs {
            differences.push(format!("{script}\n  ours: {ours:?}\n  QEMU: {theirs:?}\n"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.concat());
}

/// What was said, and what is there afterwards on the host's side.
async fn played(place: &Place, n: usize, script: &str) -> (String, Vec<String>) {
    let folder = n.to_string();
    let said = place.sh(&format!("mkdir {folder} && cd {folder} || exit; {script}")).await;
    (said, listed(&place.workspace.path().join(folder)))
}
