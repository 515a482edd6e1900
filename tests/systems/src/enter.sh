# Makes the machine's root a system over the host's kernel, in namespaces of its own, and starts bash there
# with the runner, which comes over standard input. Arguments: QEMU's user mode, the root, two empty folders.
set -eu
qemu=$1 tree=$2 root=$3 rules=$4
PATH=$PATH:/usr/sbin:/sbin
mount --bind "$tree" "$root"
mount -o remount,bind,ro "$root"
for folder in dev tmp run var/tmp root; do
    mount -t tmpfs -o mode=1777 tmpfs "$root/$folder"
done
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc"
hostname machine
# Magic and mask are those of an ELF file for riscv64. P: the program keeps the name that it was called by.
# F: QEMU is opened now, where it can be found.
mount -t binfmt_misc binfmt_misc "$rules"
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s\n' ":riscv64:M::$magic:$mask:$qemu:PF" >"$rules/register"
exec chroot "$root" /bin/bash -c '
    exec 3<&0 4>&1 </dev/null
    echo hello >&4
    read -r -u 3 size
    head -c "$size" <&3 >/run/runner
    . /run/runner'
