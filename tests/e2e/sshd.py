"""A real sshd of its own: own keys, own configuration, a high port on loopback, never the system's.
Each "host" is one of them with a login environment of its own."""
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess

import common


class Host:
    """One sshd; whoever logs in has `home` as HOME and `path` in front of PATH."""

    def __init__(self, folder, name, client_key, path=""):
        self.name, self.port = name, common.free_port()
        self.folder, self.home = f"{folder}/{name}", f"{folder}/{name}/home"
        os.makedirs(self.home)
        host_key = f"{self.folder}/host_key"
        make_key(host_key)
        keys = common.write(f"{self.folder}/authorized_keys", open(f"{client_key}.pub").read())
        os.chmod(keys, 0o600)
        paths = f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin"
        self.config = common.write(f"{self.folder}/sshd_config", f"""
Port {self.port}
ListenAddress 127.0.0.1
HostKey {host_key}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile {keys}
PermitRootLogin yes
ForceCommand cd && exec sh -c "$SSH_ORIGINAL_COMMAND"
SetEnv HOME={self.home} PATH={paths} NINES_HOST={name}
""")
        self.process = None

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(
                without_privileged_user(self.folder)
                + [common.tool("NINES_SSHD"), "-D", "-e", "-f", self.config],
                stdout=log, stderr=log, start_new_session=True)
        common.wait_until(self.answers, 20, f"sshd of {self.name} listens")
        return self

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def nodes(self):
        """Process ids of `nines query-node` that this host runs now."""
        out = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    command = f.read().split(b"\0")
                with open(f"/proc/{pid}/environ", "rb") as f:
                    here = f"NINES_HOST={self.name}".encode() in f.read().split(b"\0")
            except OSError:
                continue
            if here and b"query-node" in command and b"--hello" not in command \
                    and command[0].endswith(b"nines"):
                out.append(int(pid))
        return out

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def without_privileged_user(folder):
    """As root sshd wants a user of its own, which its package would make. Where there is none it sees
    another list of users, in a mount namespace of its own; nothing of the system is changed."""
    if os.geteuid() != 0:
        return []
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    try:
        pwd.getpwnam("sshd")
        return []
    except KeyError:
        pass
    users = f"{folder}/passwd"
    shutil.copy("/etc/passwd", users)
    with open(users, "a", encoding="ascii") as f:
        f.write("sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    return ["unshare", "-m", "sh", "-c", f'mount --bind {users} /etc/passwd && exec "$@"', "sh"]


def client(folder, hosts, key):
    """A configuration for ssh that knows these hosts by name."""
    text = f"""Host *
  User {getpass.getuser()}
  IdentityFile {key}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""
    for host in hosts:
        text += f"Host {host.name}\n  HostName 127.0.0.1\n  Port {host.port}\n"
    return common.write(f"{folder}/ssh_config", text)
