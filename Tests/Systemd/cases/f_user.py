"""A user's own begatd, under the user's service manager."""

from machine import Failure, wait_for

# Programs of a user's own begatd run as the user, who may command it all the same.
CONFIGURATION = '[service.mine]\nserve = "time"\nlisten-stream = ["127.0.0.1:4037"]\n' \
    '[service.words]\nexec = ["/bin/echo", "hello"]\nlisten-stream = ["127.0.0.1:4038"]\n'


def test_user_unit(machine):
    machine.run("useradd", "-m", "-u", "1234", "joe")
    machine.write("/home/joe/.config/begat/begatd.toml", CONFIGURATION)
    machine.run("chown", "-R", "joe:joe", "/home/joe")
    machine.run("loginctl", "enable-linger", "joe")
    wait_for("joe's manager", lambda: machine.property("user@1234", "ActiveState") == "active")

    def joe(*command):
        return machine.run("setpriv", "--reuid", "joe", "--regid", "joe", "--init-groups", "env", "HOME=/home/joe",
                           "XDG_RUNTIME_DIR=/run/user/1234", *command)

    try:
        joe("systemctl", "--user", "enable", "--now", "begatd")
        text = joe("begat", "status")
        if "mine" not in text or "/home/joe/.config/begat/begatd.toml" not in text:
            raise Failure(text)
        joe("begat", "time", "127.0.0.1:4037")
        joe("systemctl", "--user", "restart", "begatd")
        joe("systemctl", "--user", "reload", "begatd")
        joe("begat", "time", "127.0.0.1:4037")
    finally:
        machine.try_run("loginctl", "disable-linger", "joe")
        machine.try_run("systemctl", "stop", "user@1234")
