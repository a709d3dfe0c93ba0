import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The limits of executed programs.
@Suite(.timeLimit(.minutes(30)))
struct ProgramSandboxTests {
  @Test("has no capability, not even an ambient one", .enabled(if: Machine.isRoot, "needs capabilities to give up"))
  func capabilities() throws {
    let wrapper = [
      try Programs.tool("setpriv"), "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service",
    ]
    let status = SampleConfiguration.program("status", ["/bin/cat", "/proc/self/status"])
    try withDaemon(status, wrapper: wrapper) { daemon in
      let lines = String(decoding: try ask(daemon.address("status")), as: UTF8.self).split(separator: "\n")
      for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        #expect(lines.contains("\(set):\t0000000000000000"), "\(set)")
      }
      #expect(lines.contains("NoNewPrivs:\t1") && lines.contains("Seccomp:\t2"))
    }
  }

  @Test("is refused what no service needs, and may do what programs do")
  func refusals() throws {
    let script = """
      import ctypes, errno, os, socket, subprocess, threading
      libc = ctypes.CDLL(None, use_errno=True)
      def show(name, *call):
          result = libc.syscall(*call)
          print(name, errno.errorcode[ctypes.get_errno()] if result == -1 else "done")
      x86 = os.uname().machine == "x86_64"
      parent = os.getppid()
      show("ptrace", 101 if x86 else 117, 0, 0, 0, 0)
      show("process_vm_readv", 310 if x86 else 270, parent, 0, 0, 0, 0, 0)
      show("unshare", 272 if x86 else 97, 0x10000000)
      show("clone-user", 56 if x86 else 220, 0x10000011, 0, 0, 0, 0)
      show("clone3", 435, 0, 0)
      show("io_uring_setup", 425, 1, 0)
      show("bpf", 321 if x86 else 280, 0, 0, 0)
      show("keyctl", 250 if x86 else 219, 0, 0, 0)
      show("mount", 165 if x86 else 40, 0, 0, 0, 0, 0)
      show("userfaultfd", 323 if x86 else 282, 0)
      try: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET); print("alg done")
      except OSError as error: print("alg", errno.errorcode[error.errno])
      # The kernel would answer EPERM, and ignores the upper half of the number.
      for name, family in (("packet", socket.AF_PACKET), ("wide-packet", (1 << 32) | socket.AF_PACKET)):
          show(name, 41 if x86 else 198, ctypes.c_long(family), ctypes.c_long(3), ctypes.c_long(0))
      done = []
      thread = threading.Thread(target=lambda: done.append(1)); thread.start(); thread.join()
      print("thread", len(done))
      print("child", subprocess.run(["/bin/echo", "yes"], stdout=subprocess.PIPE).stdout.decode().strip())
      socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0)); print("socket done")
      open("/dev/null", "w").write("x"); print("null done")
      """
    try withDaemon(try SampleConfiguration.python("probe", script)) { daemon in
      let lines = String(decoding: try ask(daemon.address("probe")), as: UTF8.self).split(separator: "\n").map(
        String.init)
      #expect(
        lines == [
          "ptrace EPERM", "process_vm_readv EPERM", "unshare EPERM", "clone-user EPERM", "clone3 ENOSYS",
          "io_uring_setup EPERM", "bpf EPERM", "keyctl EPERM", "mount EPERM", "userfaultfd EPERM", "alg EAFNOSUPPORT",
          "packet EAFNOSUPPORT", "wide-packet EAFNOSUPPORT",
          "thread 1", "child yes", "socket done", "null done",
        ])
    }
  }

  @Test("confines the command server as its commands")
  func commands() throws {
    let configuration =
      SampleConfiguration.service("command")
      + "[service.command.commands]\nstatus = [\"/bin/cat\", \"/proc/self/status\"]\n"
    try withDaemon(configuration) { daemon in
      let text = String(decoding: try ask(daemon.address("command"), "status\nquit\n"), as: UTF8.self)
      #expect(text.contains("Seccomp:\t2\r\n") && text.contains("NoNewPrivs:\t1\r\n"), "\(text)")
    }
  }

  // MARK: Files

  @Test(
    "has in reach what it is given, and its loader's files", .enabled(if: Machine.hasLandlock, "needs Landlock"),
    arguments: [false, true])
  func paths(relayed: Bool) throws {
    let directory = try TemporaryDirectory()
    let (shown, changed, hidden) = (directory.path("shown"), directory.path("changed"), directory.path("hidden"))
    for path in [shown, changed, hidden] {
      mkdir(path, 0o777)
      chmod(path, 0o777)
      _ = try directory.write("text\n", to: "\(path.split(separator: "/").last!)/file", mode: 0o666)
    }
    chmod(directory.path, 0o755)
    let script = """
      try() { if "$@" 2>/dev/null; then echo yes; else echo no; fi; }
      try cat \(shown)/file; try cat \(hidden)/file; try ls \(hidden); try ls \(shown)
      try sh -c ': >\(shown)/new'; try sh -c ': >\(hidden)/new'; try sh -c ': >\(changed)/new'
      try sh -c 'echo x >\(shown)/file'; try sh -c 'echo x >\(changed)/file'; try rm \(changed)/file
      try sh -c ': >/dev/null'; try cat /proc/self/comm; try sh -c 'head -c 1 /dev/urandom >/dev/null'; try cat /etc/hostname
      """
    let service = SampleConfiguration.script(
      "paths", script, "read-only-paths = [\"/usr\", \"/bin\", \"\(shown)\"]", "read-write-paths = [\"\(changed)\"]",
      "relay = \(relayed)")
    try withDaemon(service) { daemon in
      let words = String(decoding: try ask(daemon.address("paths")), as: UTF8.self).split(separator: "\n")
      #expect(
        words == [
          "text", "yes", "no", "no", "file", "yes", "no", "no", "yes", "no", "yes", "yes", "yes", "cat", "yes", "yes",
          "no",
        ])
    }
  }

  @Test("runs real programs within such rules")
  func realPrograms() throws {
    let directory = try TemporaryDirectory()
    let repository = directory.path("repository")
    _ = try RunningProgram.tool("git", ["init", "-q", repository])
    chmod(directory.path, 0o755)
    let paths = "read-only-paths = [\"/usr\", \"/bin\", \"/etc\", \"\(directory.path)\"]"
    let git = ["/usr/bin/git", "-c", "safe.directory=*", "-C", repository, "status", "--porcelain=v2", "--branch"]
    let perl = ["/usr/bin/perl", "-MPOSIX", "-e", "print strftime('%Y', gmtime(0)), qq(\\n)"]
    let python = [
      try Programs.tool("python3"), "-c", "import random, subprocess; print(subprocess.getoutput('echo done'))",
    ]
    try withDaemon(
      SampleConfiguration.program("git", git, paths) + SampleConfiguration.program("perl", perl, paths)
        + SampleConfiguration.program("python", python, paths)
    ) { daemon in
      func answer(_ service: String) throws -> String {
        String(decoding: try ask(daemon.address(service)), as: UTF8.self)
      }
      let state = try answer("git")
      #expect(state.contains("# branch.oid (initial)"), "\(state)")
      #expect(try answer("perl") == "1970\n")
      #expect(try answer("python") == "done\n")
    }
  }

  @Test("does not start with a path that does not exist", .enabled(if: Machine.hasLandlock, "needs Landlock"))
  func missingPath() throws {
    let listener = try RunningProgram.run(
      try Programs.listener(),
      [
        "--listen-stream", "127.0.0.1:0", "--read-only-paths", "/usr", "--read-only-paths", "/no/such", "--",
        "/bin/cat",
      ])
    #expect(listener.status == .exited(code: 1))
    #expect(listener.errors.text.contains("/no/such: No such file or directory"))
  }

  // MARK: Network

  @Test(
    "makes no socket but Unix sockets, and uses its client's, without a network",
    .enabled(if: Machine.hasLandlock, "needs Landlock"))
  func withoutNetwork() throws {
    let script = """
      import ctypes, errno, socket, sys
      for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM),
                           (socket.AF_NETLINK, socket.SOCK_RAW)):
          try: socket.socket(family, kind); print("done")
          except OSError as error: print(errno.errorcode[error.errno])
      socket.socket(socket.AF_UNIX); print("unix", flush=True)
      client = socket.socket(fileno=0)
      server = client.getsockname()
      # The client's own socket can be disconnected (AF_UNSPEC), and must not be connected to others then.
      sys.stdin.read()
      ctypes.CDLL(None).connect(0, bytes(16), 16)
      try: client.connect(server); print("connected", file=sys.stderr)
      except OSError as error: print("refused", errno.errorcode[error.errno], file=sys.stderr)
      """
    try withDaemon(try SampleConfiguration.python("alone", script, "network = \"none\"")) { daemon in
      let client = try Client(try daemon.address("alone"))
      let answer = try client.receive(until: "unix\n")
      #expect(answer == "EAFNOSUPPORT\nEAFNOSUPPORT\nEAFNOSUPPORT\nunix\n")
      try client.endSending()
      try daemon.log.awaitLines(containing: "refused EACCES")
      client.hangUp()
    }
  }

  @Test("has no network either without begatd, where the listener has files of its own")
  func withoutNetworkAlone() throws {
    let directory = try TemporaryDirectory()
    let socket = directory.path("cat")
    let listener = try RunningProgram(
      try Programs.listener(), ["--network", "none", "--listen-stream", socket, "--", "/bin/cat"],
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    try listener.errors.awaitLines(containing: "ready on")
    #expect(try ask(socket, "still\n") == Array("still\n".utf8))
    try listener.send(.terminate)
    #expect(try listener.awaitEnd() == .exited(code: 0))
    #expect(access(socket, F_OK) != 0)
  }

  // MARK: Set-user-ID programs

  @Test(
    "gains nothing by a set-user-ID program unless that is allowed", .enabled(if: Machine.isRoot, "needs root's file"),
    arguments: [false, true])
  func setUserID(isAllowed: Bool) throws {
    let directory = try TemporaryDirectory()
    chmod(directory.path, 0o755)
    let program = directory.path("id")
    try FileManager.default.copyItem(atPath: "/usr/bin/id", toPath: program)
    chmod(program, 0o4755)
    let service = SampleConfiguration.program("id", [program, "-u"], isAllowed ? "allow-set-user-id = true" : "")
    try withDaemon(service + SampleConfiguration.service("echo")) { daemon in
      let answer = String(decoding: try ask(daemon.address("id")), as: UTF8.self)
      #expect((answer == "0\n") == isAllowed, "\(answer)")
      #expect(daemon.log.lines(containing: "id is not confined").count == (isAllowed ? 1 : 0))
      let (listener, echo) = (try daemon.listener("id"), try daemon.listener("echo"))
      #expect(ProcessFacts.statusLine("NoNewPrivs", of: listener) == (isAllowed ? "0" : "1"))
      #expect(ProcessFacts.statusLine("CapEff", of: listener) == "0000000000000000")
      #expect(ProcessFacts.statusLine("Seccomp", of: echo) == "2")
    }
  }

  @Test("is an error to allow that where it cannot be", .enabled(if: Machine.hasLandlock, "needs Landlock"))
  func setUserIDWithoutEffect() throws {
    let directory = try TemporaryDirectory()
    func check(_ lines: String..., wrapper: [String] = []) throws -> String {
      let file = try directory.write(
        SampleConfiguration.program("id", ["/usr/bin/id"], lines.joined(separator: "\n")), to: "begatd.toml")
      let words = wrapper + [try Programs.begat(), "check", file]
      let program = try RunningProgram.run(words[0], Array(words.dropFirst()))
      #expect(program.status == .exited(code: 78))
      return program.errors.text
    }
    #expect(try check("allow-set-user-id = true", "sandbox = \"required\"").contains("cannot go with sandbox"))
    #expect(
      try check("allow-set-user-id = true", "network = \"none\"").contains("has no effect with allow-set-user-id"))
    #expect(try check("sandbox = \"off\"", "network = \"none\"").contains("has no effect with sandbox"))
    let noNewPrivileges = [try Programs.tool("setpriv"), "--no-new-privs"]
    #expect(try check("allow-set-user-id = true", wrapper: noNewPrivileges).contains("started with no_new_privs"))
  }
}
