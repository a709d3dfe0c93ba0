import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct UnixSocketFileTests {
  private typealias Refusal = UnixSocketFile.BindError

  private func listen(_ path: String, _ access: UnixSocketFile.Access = UnixSocketFile.Access()) throws(Refusal)
    -> ListeningUnixSocket
  {
    try UnixSocketFile.listen(at: path, backlog: 8, access: access)
  }

  private func refusal(_ path: String) -> Refusal? { failure { () throws(Refusal) in try listen(path) } }

  /// As a server leaves it that was killed.
  private func leaveDeadSocket(_ path: String, kind: SocketKind) throws {
    _ = try Descriptor.bound(to: .unixPath(path), kind: kind, options: BindOptions())
  }

  @Test(
    "replaces a dead server's socket", arguments: [SocketKind.stream, SocketKind.datagram, SocketKind.sequencedPacket])
  func replacesADeadSocket(kind: SocketKind) throws {
    let directory = try TemporaryDirectory()
    try leaveDeadSocket(directory["s"], kind: kind)
    let before = try #require(directory.facts("s"))
    let bound = try listen(directory["s"])
    #expect(bound.socket.descriptor.isListening == true)
    #expect(directory.facts("s")?.st_ctim.tv_nsec != before.st_ctim.tv_nsec)
    _ = try ClientSocket.connect(to: .unixPath(directory["s"]))
  }

  @Test("leaves a living server's socket alone")
  func leavesALivingSocket() throws {
    let directory = try TemporaryDirectory()
    let first = try listen(directory["s"])
    let inode = directory.facts("s")?.st_ino
    #expect(refusal(directory["s"]) == .inUse(directory["s"]))
    #expect(directory.facts("s")?.st_ino == inode)
    #expect(first.socket.descriptor.isListening == true)
    _ = try ClientSocket.connect(to: .unixPath(directory["s"]))
  }

  @Test("leaves a living server's socket alone when its backlog is full")
  func leavesABusySocket() throws {
    let directory = try TemporaryDirectory()
    let first = try UnixSocketFile.listen(at: directory["s"], backlog: 0, access: UnixSocketFile.Access())
    let address = SocketAddress.unixPath(directory["s"])
    let waiting = try ClientSocket.start(to: address)
    #expect(failure { () throws(SystemCallError) in try ClientSocket.start(to: address) }?.code == .wouldBlock)
    #expect(refusal(directory["s"]) == .inUse(directory["s"]))
    #expect(first.socket.descriptor.isListening && waiting.number >= 0)
  }

  @Test("leaves a living datagram server's socket alone")
  func leavesADatagramSocket() throws {
    let directory = try TemporaryDirectory()
    let first = try UnixSocketFile.bind(at: directory["s"], kind: .datagram, access: UnixSocketFile.Access())
    #expect(refusal(directory["s"]) == .inUse(directory["s"]))
    let second = failure { () throws(Refusal) in
      try UnixSocketFile.bind(at: directory["s"], kind: .datagram, access: UnixSocketFile.Access())
    }
    #expect(second == .inUse(directory["s"]))
    #expect(first.socket.socketKind == SocketKind.datagram)
  }

  @Test("is taken by exactly one of many servers that start together")
  func isTakenByOne() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("socket-race", directory["s"])
  }

  @Test("leaves everything else alone", arguments: ["file", "link", "dangling", "directory", "fifo"])
  func leavesOtherFiles(name: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("kept".utf8, to: "file")
    try #require(symlink("file", directory["link"]) == 0)
    try #require(symlink("nowhere", directory["dangling"]) == 0)
    try directory.makeDirectory("directory")
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    let before = try #require(directory.facts(name))
    #expect(refusal(directory[name]) == .notASocket(UnixPath(directory[name])))
    let after = try #require(directory.facts(name))
    #expect(after.st_ino == before.st_ino && after.st_mode == before.st_mode && after.st_size == before.st_size)
    #expect(directory.facts("nowhere") == nil)
    #expect(try Descriptor.open(directory["file"], .readOnly).readToEnd() == Array("kept".utf8))
  }

  @Test("leaves a link to a socket alone, dead or not")
  func leavesALink() throws {
    let directory = try TemporaryDirectory()
    try leaveDeadSocket(directory["dead"], kind: .stream)
    try #require(symlink("dead", directory["link"]) == 0)
    #expect(refusal(directory["link"]) == .notASocket(directory["link"]))
    #expect(directory.facts("dead") != nil)
  }

  @Test(
    "is not made where anybody may replace it",
    arguments: [(0o777, .writableByAll), (0o775, .writableByGroup), (0o1777, nil), (0o1775, nil), (0o755, nil)]
      as [(mode_t, UnsafeDirectory.Reason?)])
  func refusesAnUnsafeDirectory(mode: mode_t, reason: UnsafeDirectory.Reason?) throws {
    let directory = try TemporaryDirectory(mode: mode)
    let danger = reason.map { UnsafeDirectory(path: UnixPath(directory.path), reason: $0) }
    #expect(refusal(directory["s"]) == danger.map { .unsafeDirectory(directory["s"], $0) })
    #expect((directory.facts("s") != nil) == (reason == nil))
  }

  @Test("leaves no lock behind, and waits for none that another user could hold")
  func leavesNoLock() throws {
    let directory = try TemporaryDirectory()
    // Anyone may lock a directory that they may read.
    let holder = try Descriptor.open(directory.path, [.readOnly, .directory])
    try holder.lock(.exclusive)
    let bound = try listen(directory["s"])
    #expect(directory.facts(".s.lock") == nil)
    #expect(bound.socket.descriptor.isListening == true && holder.number >= 0)
  }

  @Test("says that another process is binding the path for too long")
  func isLocked() throws {
    let directory = try TemporaryDirectory()
    let holder = try Descriptor.open(directory[".s.lock"], [.readWrite, .create])
    try holder.lock(.exclusive)
    #expect(refusal(directory["s"]) == .locked(directory["s"]))
    #expect(directory.facts("s") == nil)
  }

  @Test("refuses another user's lock file", .enabled(if: isRoot, "needs root to give a file away"))
  func refusesAForeignLock() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: ".s.lock")
    try #require(chown(directory[".s.lock"], 34, 34) == 0)
    let lock = ForeignLock(path: directory[".s.lock"], user: 34)
    #expect(refusal(directory["s"]) == .foreignLock(directory["s"], lock))
    #expect("\(Refusal.foreignLock("/d/s", lock))".contains("belongs to user 34; remove it"))
    // There the kernel may refuse to open it, even for root.
    try #require(chmod(directory.path, 0o1777) == 0)
    #expect(refusal(directory["s"]) == .foreignLock(directory["s"], lock))
    #expect(
      failure { () throws(FIFO.OpenError) in try ServerLock(beside: directory["s"]) }
        == .foreignLock(directory["s"], lock))
  }

  @Test("gives owner and mode to its own file, never to what a link at its path leads to")
  func givesToItsOwnOnly() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "victim")
    try #require(chmod(directory["victim"], 0o600) == 0)
    let bound = try UnixSocketFile.bind(
      at: directory["s"], kind: .datagram, access: UnixSocketFile.Access(mode: 0o600))
    for swap in ["victim", "other"] {
      try #require(rename(directory["s"], directory["away"]) == 0)
      if swap == "victim" {
        try #require(symlink("victim", directory["s"]) == 0)
      } else {
        try leaveDeadSocket(directory["s"], kind: .datagram)
      }
      let before = try #require(directory.facts("s")).st_mode
      let found = failure { () throws(SystemCallError) in try bound.file.give(UnixSocketFile.Access(mode: 0o666)) }
      #expect(found?.code == ErrorCode.staleNFSFileHandle)
      #expect(directory.facts("victim")?.st_mode == S_IFREG | 0o600)
      #expect(directory.facts("s")?.st_mode == before)
      bound.file.removeIfOurs()
      #expect(directory.facts("s") != nil)
      try #require(rename(directory["away"], directory["s"]) == 0)
    }
    try bound.file.give(UnixSocketFile.Access(mode: 0o640))
    #expect(directory.facts("s")?.st_mode == S_IFSOCK | 0o640)
  }

  @Test("is not connected to when a living server has it")
  func doesNotConnect() throws {
    let directory = try TemporaryDirectory()
    let first = try listen(directory["s"])
    #expect(refusal(directory["s"]) == .inUse(directory["s"]))
    // Nobody waits to be accepted.
    let hears = first.socket.descriptor.wait(for: .readable, until: .immediate)
    #expect(!hears)
  }

  @Test("names the path that was asked for, not its directory or its lock")
  func namesThePath() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "file")
    #expect(
      refusal(directory["none/s"])
        == .call(SystemCallError("bind", on: directory["none/s"], code: .noSuchFileOrDirectory)))
    #expect(
      refusal(directory["file/s"])
        == .call(SystemCallError("bind", on: directory["file/s"], code: ErrorCode.notDirectory)))
  }

  @Test("has the mode that is asked for, whatever the umask", arguments: [0o666, 0o600, 0o660, 0o777, 0] as [mode_t])
  func hasItsMode(mode: mode_t) throws {
    let directory = try TemporaryDirectory()
    let bound = try listen(directory["s"], UnixSocketFile.Access(mode: mode))
    let facts = try #require(directory.facts("s"))
    #expect(facts.st_mode & 0o7777 == mode)
    #expect(facts.st_uid == geteuid() && facts.st_gid == getegid())
    #expect(bound.file.path == UnixPath(directory["s"]))
  }

  @Test("has the owner that is asked for", .enabled(if: isRoot, "needs root to give a file away"))
  func hasItsOwner() throws {
    let directory = try TemporaryDirectory()
    func owner(_ user: uid_t?, _ group: gid_t?) throws -> [UInt32] {
      let bound = try listen(directory["s"], UnixSocketFile.Access(mode: 0o660, user: user, group: group))
      defer { bound.file.removeIfOurs() }
      let facts = try #require(directory.facts("s"))
      #expect(facts.st_mode & 0o777 == 0o660)
      return [facts.st_uid, facts.st_gid]
    }
    #expect(try owner(1, 2) == [1, 2])
    #expect(try owner(nil, 2) == [geteuid(), 2])
    #expect(try owner(1, nil) == [1, getegid()])
  }

  @Test("leaves nothing behind when the owner cannot be changed", .enabled(if: isRoot, "needs root to become a user"))
  func leavesNothingBehind() throws {
    let directory = try TemporaryDirectory(mode: 0o1777)
    try ProbeProgram.check("socket-owner", directory["s"])
  }

  @Test("removes its own file and not its successor's")
  func removesItsOwn() throws {
    let directory = try TemporaryDirectory()
    let first = try listen(directory["s"])
    try #require(rename(directory["s"], directory["old"]) == 0)
    let second = try listen(directory["s"])
    first.file.removeIfOurs()
    #expect(directory.facts("s") != nil)
    _ = try ClientSocket.connect(to: .unixPath(directory["s"]))
    second.file.removeIfOurs()
    #expect(directory.facts("s") == nil)
    // Nothing is there any more: no error.
    second.file.removeIfOurs()
  }

  @Test("says what to do")
  func saysWhatToDo() {
    #expect("\(Refusal.inUse("/s"))" == "bind /s: another server is listening there; stop it or choose another path")
    #expect("\(Refusal.notASocket("/s"))" == "bind /s: exists and is not a socket; remove it or choose another path")
    let danger = UnsafeDirectory(path: "/d", reason: .writableByGroup)
    #expect("\(Refusal.unsafeDirectory("/d/s", danger))".contains("sticky bit"))
  }
}
